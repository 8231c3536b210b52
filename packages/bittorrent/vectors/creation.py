"""Writes creation.json: info-hashes that libtorrent gives torrents of generated content. Needs python3-libtorrent.

Content: byte i of the file with seed s is (i * 31 + (i >> 8) * 17 + (i >> 16) * 5 + s * 101) & 255.
Files are given to libtorrent in the order of a BEP 52 tree; `python3 creation.py > creation.json`.
"""
import json, os, sys, tempfile
import libtorrent as lt

SETS = [
    ("one byte", "a.bin", [["", 1, 1]]),
    ("one block", "block.bin", [["", 16384, 2]]),
    ("one block and a byte", "more.bin", [["", 16385, 3]]),
    ("a piece and a half", "half.bin", [["", 98304, 4]]),
    ("many pieces", "many.bin", [["", 1000003, 5]]),
    ("two files", "two", [["a", 20000, 6], ["b", 70000, 7]]),
    ("empty files between", "holes", [["a", 0, 1], ["b", 500, 8], ["c", 0, 1], ["d", 51200, 9], ["e", 0, 1]]),
    ("folders and order", "tree", [["a/x", 40000, 10], ["a/y/z", 3, 11], ["a.b", 65536, 12], ["b", 131073, 13]]),
    ("names in unicode", "ñandú", [["日本語.txt", 33000, 14], ["～", 17000, 15], ["😀", 15000, 16]]),
    ("one file in a folder", "folder", [["only.txt", 50000, 17]]),
    ("a file twice", "twins", [["a", 80000, 18], ["b", 80000, 18]]),
]


def content(size, seed):
    return bytes((i * 31 + (i >> 8) * 17 + (i >> 16) * 5 + seed * 101) & 255 for i in range(size))


def main():
    rows = []
    for title, name, files in SETS:
        with tempfile.TemporaryDirectory() as root:
            for path, size, seed in files:
                full = os.path.join(root, name, path) if path else os.path.join(root, name)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "wb") as out:
                    out.write(content(size, seed))
            for version in ("v1", "v2", "hybrid"):
                for piece in (16384, 32768, 65536):
                    storage = lt.file_storage()
                    for path, size, _ in files:
                        storage.add_file(name + ("/" + path if path else ""), size)
                    # 64 is v1_only, which the Python binding of 2.0.8 has no name for.
                    flags = {"v1": 64, "v2": lt.create_torrent_flags_t.v2_only, "hybrid": 0}
                    maker = lt.create_torrent(storage, piece, flags=flags[version])
                    lt.set_piece_hashes(maker, root)
                    made = maker.generate()
                    hashes = lt.torrent_info(lt.bencode(made)).info_hashes()
                    rows.append({
                        "title": title, "name": name, "version": version, "pieceBytes": piece,
                        "files": [{"path": p, "bytes": b, "seed": s} for p, b, s in files],
                        "v1": str(hashes.v1) if hashes.has_v1() else None,
                        "v2": str(hashes.v2) if hashes.has_v2() else None,
                    })
    json.dump({"origin": "libtorrent " + lt.__version__ + ", creation.py", "rows": rows}, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


main()

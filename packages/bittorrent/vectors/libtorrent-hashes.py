"""Records libtorrent-hashes.json: how libtorrent answers BEP 52 hash requests, and what it asks for after a magnet.

Usage: python3 libtorrent-hashes.py > libtorrent-hashes.json   (needs python3-libtorrent; loopback only)
"""
import hashlib
import json
import os
import socket
import struct
import sys
import tempfile
import time

import libtorrent as lt

BLOCK = 16384
CASES = [  # name, piece size, file size
    ("a", BLOCK, 700 * BLOCK - 5),
    ("b", 4 * BLOCK, (513 * 4 - 1) * BLOCK - 77),
    ("c", 4 * BLOCK, 8 * BLOCK),
    ("d", 64 * BLOCK, 70 * BLOCK),
    ("e", 64 * BLOCK, 5 * BLOCK + 1),
]
QUIET = {
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_outgoing_utp": False,
    "out_enc_policy": 2,
    "alert_mask": 0,
}
PEER_ID = b"-TQ0001-abcdefghijkl"


def write_content(path, size):
    with open(path, "wb") as file:
        for i in range(-(-size // BLOCK)):
            file.write((struct.pack(">I", i) * (BLOCK // 4))[: size - i * BLOCK])


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def read_message(sock):
    length = struct.unpack(">I", read_exactly(sock, 4))[0]
    body = read_exactly(sock, length) if length else b""
    return (body[0] if length else None, body[1:])


def message(kind, payload):
    return struct.pack(">IB", len(payload) + 1, kind) + payload


def handshake(info_hash, reserved):
    return b"\x13BitTorrent protocol" + bytes(reserved) + info_hash[:20] + PEER_ID


def bits(count):
    return (count - 1).bit_length()


def requests_for(piece_bytes, file_bytes):
    per_piece, blocks, pieces = piece_bytes // BLOCK, -(-file_bytes // BLOCK), -(-file_bytes // piece_bytes)
    height = bits(blocks)
    layer = min(bits(per_piece), height)
    above = height - layer
    asked = []
    if pieces > 1:
        for first in range(0, pieces, 512):
            asked.append((layer, first, min(512, max(2, 1 << bits(pieces - first))), above - 1))
        asked += [(layer, 0, 2, above - 1), (layer, 0, 2, 0), (layer, 0, min(512, 1 << above), 0)]
        asked += [(layer, 512 if pieces > 512 else 0, 1, above - 1)]
        asked += [(layer, 0, 2, above), (layer, 2 << above, 2, 0)]
    if per_piece > 1:
        leaves = min(per_piece, 1 << height)
        asked += [(0, 0, leaves, max(0, bits(leaves) - 1)), (0, 0, leaves, height - 1), (0, 2, 2, height - 1)]
        asked += [(0, (blocks - 1) // leaves * leaves, leaves, height - 1), (0, 0, per_piece, bits(per_piece) - 1)]
    return asked


def record_answers(info, folder, info_hash, root, asked):
    session = lt.session({**QUIET, "allow_multiple_connections_per_ip": True})
    handle = session.add_torrent({"ti": info, "save_path": folder})
    while not handle.status().is_seeding:
        time.sleep(0.05)
    sock = socket.create_connection(("127.0.0.1", session.listen_port()))
    sock.settimeout(3)
    sock.sendall(handshake(info_hash, [0, 0, 0, 0, 0, 0, 0, 0x14]))
    read_exactly(sock, 68)
    answers = []
    for shape in asked:
        request = root + struct.pack(">IIII", *shape)
        sock.sendall(message(21, request))
        kind, payload = read_message(sock)
        while kind not in (22, 23):
            kind, payload = read_message(sock)
        answers.append(
            {
                "request": request.hex(),
                "reject": kind == 23,
                "payloadBytes": len(payload),
                "payloadSha256": hashlib.sha256(payload).hexdigest(),
            }
        )
    sock.close()
    session.remove_torrent(handle)
    return answers


def record_requests(info_bytes, info_hash, folder):
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(5)
    session = lt.session(QUIET)
    params = lt.parse_magnet_uri("magnet:?xt=urn:btmh:1220" + info_hash.hex())
    params.save_path = folder
    handle = session.add_torrent(params)
    handle.connect_peer(("127.0.0.1", server.getsockname()[1]))
    sock, _ = server.accept()
    sock.settimeout(1.5)
    read_exactly(sock, 68)
    sock.sendall(handshake(info_hash, [0, 0, 0, 0, 0, 0x10, 0, 0x14]))
    sock.sendall(message(20, b"\0" + lt.bencode({b"m": {b"ut_metadata": 1}, b"metadata_size": len(info_bytes)})))
    sock.sendall(message(14, b""))
    asked, theirs, end = [], b"", time.time() + 6
    try:
        while time.time() < end:
            kind, payload = read_message(sock)
            if kind == 20 and payload[0] == 0:
                theirs = payload[1:]
            elif kind == 20 and lt.bdecode(payload[1:])[b"msg_type"] == 0:
                piece = lt.bdecode(payload[1:])[b"piece"]
                head = lt.bencode({b"msg_type": 1, b"piece": piece, b"total_size": len(info_bytes)})
                part = info_bytes[piece * BLOCK : (piece + 1) * BLOCK]
                number = lt.bdecode(theirs)[b"m"][b"ut_metadata"]
                sock.sendall(message(20, bytes([number]) + head + part))
            elif kind == 21 and payload.hex() not in asked:
                asked.append(payload.hex())
                sock.sendall(message(23, payload))
    except (TimeoutError, socket.timeout, EOFError):
        pass
    sock.close()
    server.close()
    session.remove_torrent(handle)
    return theirs, asked


def record(name, piece_bytes, file_bytes, base):
    folder = os.path.join(base, name)
    os.makedirs(folder)
    write_content(os.path.join(folder, name + ".bin"), file_bytes)
    storage = lt.file_storage()
    lt.add_files(storage, os.path.join(folder, name + ".bin"))
    creator = lt.create_torrent(storage, piece_bytes, lt.create_torrent.v2_only)
    lt.set_piece_hashes(creator, folder)
    entry = creator.generate()
    root = entry[b"info"][b"file tree"][(name + ".bin").encode()][b""][b"pieces root"]
    info_bytes = lt.bencode(entry[b"info"])
    info_hash = hashlib.sha256(info_bytes).digest()
    info = lt.torrent_info(lt.bencode(entry))
    answers = record_answers(info, folder, info_hash, root, requests_for(piece_bytes, file_bytes))
    theirs, asked = record_requests(info_bytes, info_hash, os.path.join(base, "magnet"))
    return {
        "pieceBytes": piece_bytes,
        "fileBytes": file_bytes,
        "root": root.hex(),
        "handshake": theirs.hex(),
        "answers": answers,
        "requests": asked,
    }


with tempfile.TemporaryDirectory() as base:
    result = {
        "origin": f"Recorded by libtorrent-hashes.py from libtorrent {lt.version} on loopback. Block i of a file is its "
        "number as 4 big-endian bytes, repeated; the last block is cut.",
        "torrents": [record(*case, base) for case in CASES],
    }
json.dump(result, sys.stdout, indent=2)
print()

"""libtorrent behind JSON lines, for what e2e/lab/libtorrent-peer.py has no words for: as many torrents as there are,
deadlines of pieces, and whole jobs that end. One request a line on standard input, one answer on standard output.

Operations: listen, seed, open, seek, settle. With arguments instead: `create PATH PIECEBYTES OUT` makes a torrent of
version 1, `check TORRENT FOLDER` checks content and ends with 1 when something is missing.
"""

import ctypes
import json
import os
import sys
import time

import libtorrent as lt

session = None
handle = None
records = []

# As the others: no discovery, no encryption, TCP alone.
base_settings = {
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "in_enc_policy": int(lt.enc_policy.pe_disabled),
    "out_enc_policy": int(lt.enc_policy.pe_disabled),
}
resume_alerts = int(lt.alert.category_t.error_notification | lt.alert.category_t.storage_notification)


def listen(request):
    global session
    session = lt.session({**base_settings, "listen_interfaces": request["endpoint"], **request.get("settings", {})})
    return {}


def is_seeding(status):
    return status.is_seeding


def seed(request):
    """Adds these torrents with what `records` knows of them from the last time, or else with a check."""
    global session, records
    begin = time.monotonic()
    flags = lt.torrent_flags.default_flags & ~lt.torrent_flags.auto_managed & ~lt.torrent_flags.paused
    paths = request["torrentFiles"]
    for i, path in enumerate(paths):
        if records:
            parameters = lt.read_resume_data(records[i])
        else:
            parameters = lt.load_torrent_file(path)
        parameters.save_path = request["folder"]
        parameters.flags = flags
        session.async_add_torrent(parameters)
    while len(session.get_torrent_status(is_seeding)) < len(paths):
        time.sleep(0.01)
    return {"seconds": time.monotonic() - begin}


def remember(_request):
    """Ends the session, and keeps what the next one needs to know."""
    global session, records
    session.apply_settings({"alert_mask": resume_alerts, "alert_queue_size": 1000000})
    session.pop_alerts()
    handles = session.get_torrents()
    for torrent in handles:
        torrent.save_resume_data(lt.save_resume_flags_t.save_info_dict)
    saved = []
    while len(saved) < len(handles):
        session.wait_for_alert(200)
        for alert in session.pop_alerts():
            if isinstance(alert, lt.save_resume_data_alert):
                saved.append(lt.write_resume_data_buf(alert.params))
            elif isinstance(alert, lt.save_resume_data_failed_alert):
                raise RuntimeError(alert.message())
    with open(_request["file"], "wb") as out:
        out.write(lt.bencode(saved))
    return {}


def recall(request):
    global records
    with open(request["file"], "rb") as file:
        records = lt.bdecode(file.read())
    return {}


def open_stream(request):
    global handle
    parameters = lt.load_torrent_file(request["torrentFile"])
    parameters.save_path = request["folder"]
    parameters.flags = lt.torrent_flags.default_flags & ~lt.torrent_flags.auto_managed & ~lt.torrent_flags.paused
    parameters.flags |= lt.torrent_flags.sequential_download
    handle = session.add_torrent(parameters)
    for peer in request["peers"]:
        address, port = peer.rsplit(":", 1)
        handle.connect_peer((address, int(port)))
    return {}


def status(_request):
    now = handle.status()
    return {"peerCount": now.num_peers, "havePieceCount": now.num_pieces}


def seek(request):
    """Until the piece is there and verified."""
    begin = time.monotonic()
    handle.set_piece_deadline(request["piece"], 0)
    while not handle.have_piece(request["piece"]):
        time.sleep(0.001)
    return {"seconds": time.monotonic() - begin}


def settle(_request):
    ctypes.CDLL(None).malloc_trim(0)
    return {}


def create(path, piece_bytes, out):
    storage = lt.file_storage()
    lt.add_files(storage, path)
    torrent = lt.create_torrent(storage, int(piece_bytes), lt.create_torrent.v1_only)
    lt.set_piece_hashes(torrent, os.path.dirname(path))
    with open(out, "wb") as file:
        file.write(lt.bencode(torrent.generate()))


def check(torrent, folder):
    """Adds the torrent where its content is: libtorrent then reads and compares all of it."""
    settings = {"hashing_threads": 2, "aio_threads": 8, "checking_mem_usage": 1024, "listen_interfaces": ""}
    own = lt.session({**base_settings, **settings})
    parameters = lt.load_torrent_file(torrent)
    parameters.save_path = folder
    parameters.flags = lt.torrent_flags.default_flags & ~lt.torrent_flags.auto_managed & ~lt.torrent_flags.paused
    added = own.add_torrent(parameters)
    checking = (lt.torrent_status.checking_files, lt.torrent_status.checking_resume_data)
    while added.status().state in checking:
        time.sleep(0.005)
    # Without the session's destructor, which waits for nothing that matters here.
    sys.stdout.flush()
    os._exit(0 if added.status().is_seeding else 1)


operations = {
    "listen": listen,
    "seed": seed,
    "remember": remember,
    "recall": recall,
    "open": open_stream,
    "seek": seek,
    "status": status,
    "settle": settle,
}

if sys.argv[1:2] == ["create"]:
    create(*sys.argv[2:])
    os._exit(0)
if sys.argv[1:2] == ["check"]:
    check(*sys.argv[2:])

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"id": request["id"], "ok": True, **operations[request["op"]](request)}
    except Exception as error:  # Whatever it is, who asked must hear of it.
        answer = {"id": request["id"], "ok": False, "error": "%s: %s" % (type(error).__name__, error)}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()

os._exit(0)

"""libtorrent behind JSON lines: one request a line on standard input, one answer a line on standard output.

Requests are objects {"id", "op", ...}; answers {"id", "ok": true, ...} or {"id", "ok": false, "error"}.
Operations: listen, add, connect, status, create, read, crowd, dht-put, dht-get, quit. The session starts with "listen".
"""

import hashlib
import json
import os
import sys
import time

import libtorrent as lt

session = None
handle = None
crowd_sessions = []

# Nodes of a laboratory all have private addresses, and several may share one.
dht_settings = {
    "enable_dht": True,
    "dht_bootstrap_nodes": "",
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    "dht_prefer_verified_node_ids": False,
    "dht_enforce_node_id": False,
    "dht_ignore_dark_internet": False,
    "dht_extended_routing_table": False,
    # One address asks again and again here.
    "dht_block_ratelimit": 1000,
}


def listen(request):
    global session
    settings = {
        "listen_interfaces": request["endpoint"],
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_incoming_utp": False,
        "enable_outgoing_utp": False,
        "in_enc_policy": int(lt.enc_policy.pe_disabled),
        "out_enc_policy": int(lt.enc_policy.pe_disabled),
        "allow_multiple_connections_per_ip": True,
        "alert_mask": int(lt.alert.category_t.error_notification | lt.alert.category_t.status_notification),
        "peer_connect_timeout": 5,
        "min_reconnect_time": 1,
    }
    if request.get("dht") is not None:
        settings.update(dht_settings)
        settings["dht_bootstrap_nodes"] = ",".join(request["dht"])
        settings["alert_mask"] |= int(lt.alert.category_t.dht_notification)
    settings.update(request.get("settings", {}))
    session = lt.session(settings)
    return {"port": session.listen_port()}


def add(request):
    global handle
    source = request["source"]
    if source.startswith("magnet:"):
        parameters = lt.parse_magnet_uri(source)
    else:
        # With the layers of a v2 torrent's trees, which the torrent_info of newer ones does not hold.
        parameters = lt.load_torrent_file(source)
    parameters.save_path = request["folder"]
    parameters.trackers = list(parameters.trackers) + request.get("trackers", [])
    flags = lt.torrent_flags.default_flags & ~lt.torrent_flags.auto_managed & ~lt.torrent_flags.paused
    if request.get("trusted"):
        flags |= lt.torrent_flags.seed_mode
    if request.get("sequential"):
        flags |= lt.torrent_flags.sequential_download
    parameters.flags = flags
    handle = session.add_torrent(parameters)
    for peer in request.get("peers", []):
        connect({"peer": peer})
    return {}


def connect(request):
    address, port = request["peer"].rsplit(":", 1)
    handle.connect_peer((address, int(port)))
    return {}


def status(_request):
    alerts = [str(alert) for alert in session.pop_alerts()]
    if handle is None:
        return {"state": "none", "progress": 0, "complete": False, "alerts": alerts}
    now = handle.status()
    return {
        "state": str(now.state),
        "progress": now.progress,
        "complete": now.is_seeding,
        "peerCount": now.num_peers,
        "havePieceCount": now.num_pieces,
        "downloadedBytes": now.total_payload_download,
        "uploadedBytes": now.total_payload_upload,
        "error": now.errc.message() if now.errc.value() else None,
        "peers": [
            {"endpoint": "%s:%d" % peer.ip, "client": peer.client.decode("utf-8", "replace"), "bytes": peer.total_download}
            for peer in handle.get_peer_info()
        ],
        "alerts": alerts,
    }


def create(request):
    storage = lt.file_storage()
    lt.add_files(storage, request["path"])
    flags = {"v1": lt.create_torrent.v1_only, "v2": lt.create_torrent.v2_only, "hybrid": 0}[request["version"]]
    torrent = lt.create_torrent(storage, request.get("pieceBytes", 0), flags)
    for tracker in request.get("trackers", []):
        torrent.add_tracker(tracker)
    torrent.set_priv(request.get("private", False))
    lt.set_piece_hashes(torrent, os.path.dirname(request["path"]))
    with open(request["out"], "wb") as out:
        out.write(lt.bencode(torrent.generate()))
    return read({"source": request["out"]})


def read(request):
    info = lt.torrent_info(request["source"])
    hashes = info.info_hashes()
    files = info.files()
    return {
        "name": info.name(),
        "infoHashV1": str(hashes.v1) if hashes.has_v1() else None,
        "infoHashV2": str(hashes.v2) if hashes.has_v2() else None,
        "pieceBytes": info.piece_length(),
        "pieceCount": info.num_pieces(),
        "private": info.priv(),
        "magnet": lt.make_magnet_uri(info),
        "files": [
            {
                "path": files.file_path(i).replace(os.sep, "/"),
                "bytes": files.file_size(i),
                "pad": bool(files.file_flags(i) & lt.file_storage.flag_pad_file),
            }
            for i in range(files.num_files())
        ],
    }


def crowd(request):
    """More sessions that only are DHT nodes, on ports of their own."""
    for i in range(request["count"]):
        settings = {
            "listen_interfaces": "%s:%d" % (request["address"], request["port"] + i),
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            **dht_settings,
            "dht_bootstrap_nodes": ",".join(request["dht"]),
        }
        crowd_sessions.append(lt.session(settings))
    return {}


def expanded_key(seed):
    """What libtorrent signs with: the hash of the 32 bytes that others call the secret key."""
    key = bytearray(hashlib.sha512(seed).digest())
    key[0] &= 248
    key[31] &= 63
    key[31] |= 64
    return bytes(key)


def next_alert(kind, timeout_s, accept):
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        session.wait_for_alert(200)
        for alert in session.pop_alerts():
            if isinstance(alert, kind) and accept(alert):
                return alert
    raise TimeoutError("no %s within %d s" % (kind.__name__, timeout_s))


def dht_put(request):
    text = request["text"].encode()
    if request.get("secretKey") is None:
        target = session.dht_put_immutable_item(text)
        put = next_alert(lt.dht_put_alert, 30, lambda alert: True)
        return {"target": str(target), "count": put.num_success}
    public_key = bytes.fromhex(request["publicKey"])
    secret_key = expanded_key(bytes.fromhex(request["secretKey"]))
    session.dht_put_mutable_item(secret_key, public_key, text, request["salt"].encode())
    put = next_alert(lt.dht_put_alert, 30, lambda alert: True)
    return {"sequence": put.seq, "count": put.num_success}


def dht_get(request):
    if request.get("target") is not None:
        target = lt.sha1_hash(bytes.fromhex(request["target"]))
        session.dht_get_immutable_item(target)
        found = next_alert(lt.dht_immutable_item_alert, 30, lambda alert: True)
        return {"item": text_of(found.item)}
    session.dht_get_mutable_item(bytes.fromhex(request["publicKey"]), request["salt"].encode())
    # It tells of every newer one on the way; the last is said to be authoritative.
    found = next_alert(lt.dht_mutable_item_alert, 30, lambda alert: alert.authoritative)
    return {"item": text_of(found.item), "sequence": found.seq}


def text_of(item):
    value = item["value"] if isinstance(item, dict) and "value" in item else item
    return value.decode() if isinstance(value, bytes) else str(value)


def answer(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


operations = {
    "listen": listen,
    "add": add,
    "connect": connect,
    "status": status,
    "create": create,
    "read": read,
    "crowd": crowd,
    "dht-put": dht_put,
    "dht-get": dht_get,
}

for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "quit":
        break
    try:
        answer({"id": request["id"], "ok": True, **operations[request["op"]](request)})
    except Exception as error:  # Whatever it is, the test that asked must hear of it.
        answer({"id": request["id"], "ok": False, "error": "%s: %s" % (type(error).__name__, error)})

# Without the session's destructor, which waits seconds for trackers and connections.
os._exit(0)

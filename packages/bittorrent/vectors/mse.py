"""Records mse.json: RC4 key streams at the places RFC 6229 prints, and whole handshakes of Message Stream Encryption.

Made with Python's own powers and hashes and OpenSSL's RC4, from the specification, by nothing that Tequio runs.

Usage: python3 mse.py > mse.json   (needs python3-cryptography)
"""
import hashlib
import json
import random

from cryptography.hazmat.primitives.ciphers import Cipher

try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
except ImportError:
    from cryptography.hazmat.primitives.ciphers.algorithms import ARC4

PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A36210000000000090563",
    16,
)
LONG = "1ada31d5cf688221c109163908ebe51debb46227c6cc8b37641910833222772a"
KEYS = [bytes(range(1, n + 1)).hex() for n in (5, 7, 8, 10, 16, 24, 32)]
KEYS += [LONG[-2 * n:] for n in (5, 7, 8, 10, 16, 24, 32)]
PLACES = [0, 16, 240, 256, 496, 512, 752, 768, 1008, 1024, 1520, 1536, 2032, 2048, 3056, 3072, 4080, 4096]


def rc4(key: bytes):
    return Cipher(ARC4(key), None).encryptor()


def key_stream(key: str) -> dict:
    stream = rc4(bytes.fromhex(key)).update(bytes(4112))
    return {"key": key, "at": {str(place): stream[place:place + 16].hex() for place in PLACES}}


def sha1(*parts: bytes) -> bytes:
    return hashlib.sha1(b"".join(parts)).digest()


def handshake(seed: int, pads: tuple, provide: int, select: int, payload: bytes) -> dict:
    chance = random.Random(seed)
    skey = chance.randbytes(20)
    secrets = [chance.randbytes(20), chance.randbytes(20)]
    pad_a, pad_b = chance.randbytes(pads[0]), chance.randbytes(pads[1])
    publics = [pow(2, int.from_bytes(secret, "big"), PRIME).to_bytes(96, "big") for secret in secrets]
    shared = pow(int.from_bytes(publics[1], "big"), int.from_bytes(secrets[0], "big"), PRIME).to_bytes(96, "big")
    of_a, of_b = rc4(sha1(b"keyA", shared, skey)), rc4(sha1(b"keyB", shared, skey))
    of_a.update(bytes(1024))
    of_b.update(bytes(1024))
    named = bytes(a ^ b for a, b in zip(sha1(b"req2", skey), sha1(b"req3", shared)))
    offer = bytes(8) + provide.to_bytes(4, "big") + pads[2].to_bytes(2, "big") + bytes(pads[2])
    offer += len(payload).to_bytes(2, "big") + payload
    answer = bytes(8) + select.to_bytes(4, "big") + pads[3].to_bytes(2, "big") + bytes(pads[3])
    words = [b"what the one who dialled says next", b"what the one who was dialled says next"]
    flights = [
        publics[0] + pad_a,
        publics[1] + pad_b,
        sha1(b"req1", shared) + named + of_a.update(offer),
        of_b.update(answer),
    ]
    sent = [of_a.update(words[0]), of_b.update(words[1])] if select == 2 else words
    return {
        "skey": skey.hex(),
        "secrets": [secret.hex() for secret in secrets],
        "padBytes": pads,
        "provide": provide,
        "select": select,
        "payload": payload.hex(),
        "torrentHash": sha1(b"req2", skey).hex(),
        "flights": [flight.hex() for flight in flights],
        "words": [word.hex() for word in words],
        "sent": [word.hex() for word in sent],
    }


print(json.dumps({
    "origin": "Made by mse.py: the key streams are those of RFC 6229, the handshakes follow the specification.",
    "keyStreams": [key_stream(key) for key in KEYS],
    "handshakes": [
        handshake(1, (0, 0, 0, 0), 2, 2, b""),
        handshake(2, (512, 512, 512, 0), 3, 1, b"\x13BitTorrent protocol" + bytes(48)),
        handshake(3, (17, 300, 5, 0), 3, 1, b""),
        handshake(4, (1, 511, 64, 0), 2, 2, bytes(range(68))),
        handshake(5, (100, 33, 0, 512), 3, 2, b"\x13"),
        handshake(6, (7, 0, 9, 21), 1, 1, b"early words"),
    ],
}, indent=1))

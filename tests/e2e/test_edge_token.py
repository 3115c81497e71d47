"""X-Tenant-Token: signed by the edge, checked here with OpenSSL, which shares no code with it."""

import base64
import json
import subprocess
import time

import pytest

from support.nginx import TENANTS, edge, nginx, tools  # noqa: F401 (fixtures)
from support.processes import wait_until
from support.upstream import value

PREFIX = bytes.fromhex("302a300506032b6570032100")  # SubjectPublicKeyInfo of Ed25519, RFC 8410


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def token_of(nginx, host="demo.localhost"):
    return value(nginx.seen(host), "X-Tenant-Token")


def claims(token):
    return json.loads(decode(token.split(".")[1]))


def is_signed_by(folder, token, jwk):
    """OpenSSL's word on the signature."""
    head, body, signature = token.split(".")
    (folder / "message").write_bytes(f"{head}.{body}".encode())
    (folder / "signature").write_bytes(decode(signature))
    (folder / "key.der").write_bytes(PREFIX + decode(jwk["x"]))
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", folder / "key.der", "-rawin",
         "-in", folder / "message", "-sigfile", folder / "signature"],
        capture_output=True,
    )
    return done.returncode == 0


@pytest.fixture
def signing(nginx):
    nginx.make_key()
    nginx.write()
    nginx.configure(
        """
        server {
            listen 127.0.0.1:@port@; tenantry on;
            location / { proxy_pass http://app; }
            location = /jwks { tenantry_jwks; }
        }
        """
    )
    return nginx.start()


def test_token_and_keys(signing):
    answer = signing.get("demo.localhost", "/jwks")
    assert (answer.status, answer.type) == (200, "application/jwk-set+json")
    assert "max-age=" in answer.header("Cache-Control")
    (key,) = answer.json()["keys"]
    assert (key["kty"], key["crv"], "d" in key) == ("OKP", "Ed25519", False)
    before = time.time()
    token = token_of(signing)
    head = json.loads(decode(token.split(".")[0]))
    assert (head["alg"], head["kid"]) == ("EdDSA", key["kid"])
    told = claims(token)
    assert (told["sub"], told["host"], told["slug"]) == (TENANTS[0]["id"], "demo.localhost", "demo")
    assert told["iat"] % 30 == 0 and told["exp"] == told["iat"] + 60
    assert told["iat"] <= time.time() and told["exp"] > before + 29
    assert is_signed_by(signing.folder, token, key)
    assert not is_signed_by(signing.folder, token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), key)


def test_token_is_for_its_host(signing):
    """Whatever the spelling of a host, and each host its own."""
    assert claims(token_of(signing, "DEMO.localhost:80"))["host"] == "demo.localhost"
    assert claims(token_of(signing, "www.demo.example"))["host"] == "www.demo.example"
    assert claims(token_of(signing, "other.localhost"))["sub"] == TENANTS[1]["id"]


def test_token_is_signed_once_in_half_a_minute(signing):
    """Ed25519 signs alike what is alike, so that only the times could tell; cost is what does."""
    tokens = {(t := token_of(signing), claims(t)["iat"])[0] for _ in range(20)}
    assert len(tokens) <= 2


def test_token_follows_a_renamed_tenant_at_once(signing):
    assert claims(token_of(signing, "www.demo.example"))["slug"] == "demo"
    signing.change(tenants=[dict(TENANTS[0], slug="renamed", formerSlugs=["demo"])])
    assert claims(token_of(signing, "www.demo.example"))["slug"] == "renamed"


def test_token_follows_a_host_to_another_tenant(signing):
    assert claims(token_of(signing, "www.demo.example"))["sub"] == TENANTS[0]["id"]
    signing.change(
        tenants=[dict(TENANTS[0], hosts=[]), dict(TENANTS[1], hosts=["www.demo.example"])]
    )
    assert claims(token_of(signing, "www.demo.example"))["sub"] == TENANTS[1]["id"]


def test_more_hosts_than_the_cache_has_places(nginx):
    tenants = [
        {"id": f"0190b7a4-0000-7000-8000-{i:012x}", "slug": f"tenant-{i}", "name": "T"} for i in range(60)
    ]
    nginx.make_key()
    nginx.write(tenants=tenants)
    nginx.configure("tenantry_token_cache 8;\nserver { listen 127.0.0.1:@port@; tenantry on; location / { proxy_pass http://app; } }")
    nginx.start()
    for _ in range(3):
        for tenant in tenants:
            told = claims(token_of(nginx, f"{tenant['slug']}.localhost"))
            assert (told["sub"], told["slug"]) == (tenant["id"], tenant["slug"])


def test_longest_names_are_signed_too(nginx):
    slug = "s" * 63
    host = ".".join(["h" * 63] * 3 + ["e" * 61])
    assert len(host) == 253
    nginx.make_key()
    nginx.write(tenants=[dict(TENANTS[0], slug=slug, hosts=[host])])
    nginx.configure()
    nginx.start()
    for _ in range(2):
        told = claims(token_of(nginx, host))
        assert (told["host"], told["slug"]) == (host, slug)


def test_no_key_no_token(nginx):
    nginx.write()
    nginx.configure(directory=f"tenantry_directory {nginx.directory}; tenantry_token_key off;")
    nginx.start()
    assert value(nginx.seen("demo.localhost", headers={"X-Tenant-Token": "forged"}), "X-Tenant-Token") is None


def test_reload_takes_a_new_key(signing):
    old = token_of(signing)
    signing.make_key()
    signing.write(generation=8)
    signing.reload()

    def new_key():
        (key,) = signing.get("demo.localhost", "/jwks").json()["keys"]
        token = token_of(signing)
        return is_signed_by(signing.folder, token, key) and not is_signed_by(signing.folder, old, key)

    wait_until(new_key, "the new key")


def test_keys_are_only_to_be_fetched(signing):
    assert signing.get("demo.localhost", "/jwks", method="POST", body=b"x").status == 405
    head = signing.get("demo.localhost", "/jwks", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.header("Content-Length")) == len(signing.get("demo.localhost", "/jwks").body)


def test_keys_without_a_directory(nginx):
    nginx.allowed.append(r"tenantry directory .* is missing")
    nginx.configure("server { listen 127.0.0.1:@port@; location / { tenantry_jwks; } }")
    nginx.start()
    answer = nginx.get("anything")
    assert (answer.status, answer.json()["code"], answer.header("Retry-After")) == (503, "directory_unavailable", "5")
    nginx.write()
    wait_until(lambda: nginx.get("anything").status == 200, "the directory")


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"keys": []}', '{"keys": [{"kty": "RSA"}]}'])
def test_key_file_that_is_none(nginx, text):
    nginx.key.write_text(text)
    nginx.configure()
    taken, said = nginx.test_config()
    assert not taken
    assert f'the signing key in "{nginx.key}" cannot be used' in said


def test_key_file_that_is_not_there(nginx):
    nginx.configure(directory=f"tenantry_directory {nginx.directory}; tenantry_token_key {nginx.key};")
    taken, said = nginx.test_config()
    assert not taken and "cannot be used" in said

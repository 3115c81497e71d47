"""What deploy/ and docs/ say is true: the sample configuration, nginx.conf, the units, the table of keys,
the man page."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def configuration(build, *arguments, **environment):
    """{key: [value, help]} of `tenantry config`, with no setting from outside."""
    values = {k: v for k, v in os.environ.items() if not k.startswith("TENANTRY_")}
    done = subprocess.run(
        [build / "tenantry", *arguments, "--json", "config"],
        env={**values, **environment}, capture_output=True, text=True, timeout=30, check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    return {key["key"]: [key["value"], key["help"]] for key in document["keys"]}


@pytest.fixture
def defaults(build):
    if os.path.exists("/etc/tenantry/tenantry.conf"):
        pytest.skip("this machine has a configuration of its own")
    values = configuration(build)
    # a build has the module beside the command; elsewhere it is in nginx's folder
    values["module"][0] = "/usr/lib/nginx/modules/ngx_http_tenantry_module.so"
    return values


def test_sample_configuration_has_every_key_at_its_default(build, defaults):
    sample = DEPLOY / "tenantry.conf"
    assert configuration(build, "--config", str(sample)) == defaults
    written = re.findall(r"^(\w+) = ", sample.read_text(), re.MULTILINE)
    assert sorted(written) == sorted(defaults)


def test_documented_table_of_keys_is_the_programs_own(defaults):
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| (.+) \|$", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)
    documented = {key: [value, text] for key, value, text in rows}
    expected = {
        key: [value if key == "state" else value.replace("/var/lib/tenantry/", "STATE/"), text]
        for key, (value, text) in defaults.items()
    }
    assert documented == expected


def test_nginx_takes_the_configuration_written_by_hand(build, tmp_path):
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=example.com", "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=30,
    )
    state = tmp_path / "state"
    mkdirectory = build / "tests/e2e/tools/mkdirectory"
    state.mkdir()
    subprocess.run([mkdirectory, "--key", state / "token.jwks"], check=True, timeout=30)
    text = (DEPLOY / "nginx.conf").read_text()
    replaced = {
        "user www-data;": "user root;" if os.getuid() == 0 else "",
        "/run/nginx.pid": str(tmp_path / "nginx.pid"),
        "/var/log/nginx": str(tmp_path),
        "/usr/lib/nginx/modules/ngx_http_tenantry_module.so": str(build / "ngx_http_tenantry_module.so"),
        "/var/lib/tenantry": str(state),
        "/etc/ssl/example.com": str(tmp_path),
        # nginx -t opens the listening sockets: ports that an ordinary user may use, and nobody does
        "listen 80 ": "listen 127.0.0.1:32080 ",
        "listen [::]:80 ": "listen unix:" + str(tmp_path / "http.sock") + " ",
        "listen 443 ": "listen 127.0.0.1:32443 ",
        "listen [::]:443 ": "listen unix:" + str(tmp_path / "https.sock") + " ",
    }
    for old, new in replaced.items():
        assert old in text, old
        text = text.replace(old, new)
    temporary = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = text.replace("http {\n", "http {\n" + temporary, 1)
    (tmp_path / "nginx.conf").write_text(text)
    done = subprocess.run(
        [shutil.which("nginx") or "/usr/sbin/nginx", "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log"],
        capture_output=True, text=True, timeout=30, check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr, done.stderr


def test_units_are_of_systemds_form(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd here")
    unit = (DEPLOY / "tenantry.service").read_text().replace("/usr/local/bin/tenantry", "/bin/true")
    (tmp_path / "tenantry.service").write_text(unit.replace("Documentation=man:tenantry(1)\n", ""))
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "tenantry.service"], capture_output=True, text=True, timeout=60, check=False
    )
    assert "tenantry.service" not in done.stderr, done.stderr


def test_man_page_has_every_subcommand_and_option(build):
    page = re.sub(r'\\f[A-Z]|\\-', lambda m: "-" if m[0] == r"\-" else "", (ROOT / "docs/man/tenantry.1").read_text())
    page = page.replace('"', "")
    whole = subprocess.run([build / "tenantry", "help"], capture_output=True, text=True, timeout=30, check=True).stdout
    listed = whole.partition("subcommands:\n")[2].partition("\n\n")[0].splitlines()
    names = {re.match(r"  ([a-z-]+( [a-z-]+)?)", line)[1].strip() for line in listed}
    assert len(names) > 25
    for name in names:
        assert re.search(rf"^\.BI? {name}\b", page, re.MULTILINE), name
        text = subprocess.run(
            [build / "tenantry", *name.split(), "--help"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
        for option in re.findall(r"^  (--[a-z-]+)", text, re.MULTILINE):
            if option not in ("--help", "--version"):
                assert option in page, (name, option)


def test_man_page_is_well_formed():
    if not shutil.which("groff"):
        pytest.skip("no groff here")
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-z", ROOT / "docs/man/tenantry.1"], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr

"""The script that hashes keys, run by this machine's nginx as often as by many requests."""

import subprocess
from hashlib import sha256
from pathlib import Path

import requests

from rvae.serving.ports import LOOPBACK, bound_socket
from tests.support.paths import ROOT
from tests.support.proxy import KEY, MODULES, require_nginx
from tests.support.waiting import wait_for

SCRIPT = ROOT / "docker" / "proxy" / "lua" / "key_hash.lua"
# Declarations of LuaJIT have 65,536 places, and one of a function takes four.
TIMES = 20_000
CONFIG = f"""
load_module {MODULES}/ndk_http_module.so;
load_module {MODULES}/ngx_http_lua_module.so;
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen @LISTEN@;
        location / {{
            content_by_lua_block {{
                local hash = loadfile "{SCRIPT}"
                for _ = 1, {TIMES} do hash() end
                require("ffi").cdef "struct still_room {{ int any; }};"
                ngx.print(hash())
            }}
        }}
    }}
}}
"""


def test_many_requests_leave_nothing_behind(tmp_path: Path) -> None:
    require_nginx()
    with bound_socket(LOOPBACK, 0) as free:
        address = f"{LOOPBACK}:{free.getsockname()[1]}"
    config = tmp_path / "nginx.conf"
    config.write_text(CONFIG.replace("@LISTEN@", address))
    headers = {"Authorization": f"Bearer {KEY}"}
    with subprocess.Popen(["nginx", "-p", str(tmp_path), "-c", str(config)]) as nginx:
        try:
            wait_for((tmp_path / "nginx.pid").exists)
            found = requests.get(f"http://{address}/", headers=headers, timeout=60)
        finally:
            nginx.terminate()
    assert (found.status_code, found.text) == (200, sha256(KEY.encode()).hexdigest())

"""Only pages of the server itself, opened with its token, get an answer."""

import json

import pytest
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from herdbook.app.guard import HEADERS
from tests.unit.app.conftest import COOKIE, TOKEN

OWN = "http://127.0.0.1:8000"
CHANGE = {"x-herdbook": "1", "content-type": "application/json"}


@pytest.fixture
def client(serve):
    return serve(None)


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "t\u00f6ken"])
def test_a_wrong_token_is_refused(client, token):
    answer = client.get("/enter", params={"token": token})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_the_token_gives_a_cookie_that_scripts_cannot_read(serve):
    client = serve(None, cookie=None)
    assert client.get("/").status_code == 403
    answer = client.get("/enter", params={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}={TOKEN};")
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("cookie", ["", "wrong", 'a"b', "x" * 5000])
def test_a_wrong_cookie_is_refused(serve, cookie):
    assert serve(None, cookie=cookie).get("/api/form").status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:8000", "", "[::1", "localhost.evil.example:80"])
def test_a_foreign_host_is_refused(client, host):
    assert client.get("/", headers={"host": host}).status_code == 400
    assert client.get("/enter", params={"token": TOKEN}, headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:9000", "[::1]:8000", "LOCALHOST"])
def test_names_of_this_machine_are_served_at_any_port_for_tunnels_have_ports_of_their_own(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8000", "http://localhost:8000"]
)
def test_a_foreign_origin_is_refused(client, origin):
    assert client.get("/api/form", headers={"origin": origin}).status_code == 403
    assert client.post("/api/edit/save", headers={"origin": origin, **CHANGE}, content="{}").status_code == 403
    with pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)), client.websocket_connect("/ws", headers={"origin": origin}):
        pass


def test_a_socket_needs_origin_and_cookie(client, serve):
    with pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)), client.websocket_connect("/ws"):
        pass
    stranger = serve(None, cookie=None)
    with pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)), stranger.websocket_connect("/ws", headers={"origin": OWN}):
        pass
    with client.websocket_connect("/ws", headers={"origin": OWN, "host": "127.0.0.1:8000"}) as socket:
        assert json.loads(socket.receive_text())["type"] == "state"


@pytest.mark.parametrize(
    "headers", [{}, {"x-herdbook": "1"}, {"content-type": "application/json"}, {**CHANGE, "content-type": "text/plain"}]
)
def test_changes_need_the_mark_of_the_page(client, headers):
    assert client.post("/api/edit/undo", headers=headers, content="{}").status_code == 403
    assert client.post("/api/open", headers=headers, content="{}").status_code == 403


def test_every_answer_carries_the_policy(client):
    for answer in (client.get("/"), client.get("/nowhere"), client.get("/", headers={"host": "evil.example"}), client.get("/enter")):
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
    assert "default-src 'self'" in HEADERS["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"]


NEW = {"name": "new", "marking": "none"}


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/static/../server.py", "/static/%2e%2e/server.py", "//etc/passwd", "/static//etc/passwd"]
)
def test_no_path_leads_out_of_the_page(client, path):
    assert client.get(f"{OWN}{path}").status_code == 404


def test_the_page_sees_only_its_roots(client, tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "a.yaml").write_text("experiment: a\n")
    (tmp_path / "out").symlink_to("/etc")
    listed = client.get("/api/new/folder", params={"dir": str(tmp_path / "inside")}).json()
    assert listed["experiments"] == [str(tmp_path / "inside" / "a.yaml")]
    for place in ("/etc", str(tmp_path / "inside" / ".." / ".."), str(tmp_path / "out"), "\0", "relative"):
        for answer in (
            client.get("/api/new/folder", params={"dir": place}),
            client.get("/api/new/movie", params={"path": place}),
            client.post("/api/new", headers=CHANGE, content=json.dumps(NEW | {"folder": f"{place}/new", "movies": [place]})),
        ):
            assert answer.status_code == 422, place
            assert "passwd" not in answer.text
    assert client.post("/api/open", headers=CHANGE, content=json.dumps({"file": "/etc/passwd"})).status_code == 422

"""The pages over HTTP: who may look, what is escaped, what a bad request gets."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from search.view.bundle import write_bundle
from search.view.server import make_app
from tests.search.report.made_run import MadeRun
from tests.search.view.folder import HOSTILE, made_experiment, made_folder

HERE = "http://127.0.0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_folder(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def client(folder: Path) -> TestClient:
    return TestClient(make_app(folder), base_url=HERE)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/", "below/second"),
        ("/run/first", "Answers, question by question"),
        ("/run/below/second", "over the base prompt"),
        ("/live/first", "finished"),
        ("/report/compared", "demosearch report"),
        ("/answers/first", "14 answers"),
        ("/answers/first?change=better&order=score&descending=on", "7 answers"),
        ("/answers/first?least=many&page=-3&order=sideways&size=x", "14 answers"),
        (f"/answers/first?least=nan&most=-inf&page={10**30}&shortest={-(10**30)}&longest={10**30}", "14 answers"),
        ("/answers/below/second?words=nowhere", "No answer fits"),
        ("/answer/first?trial=1&item=g1", "What the model read, character by character"),
        ("/answer/first?trial=0&item=g1&beside=winner", "1 of 14"),
        ("/answer/first?trial=1&item=g1&prompt=nobody", "question g1"),
        ("/answer/compared?trial=1&item=h1", "As this version spells it"),
        ("/answers/first?role=winner", "7 answers"),
        ("/answers/first?holds=A,&shortest=1&longest=5000", "7 answers"),
        ("/compare", "Choose runs, or prompts of any of them"),
        ("/compare?run=first&run=below/second&run=nobody", "3 comparisons"),
        ("/compare?prompt=1:first&prompt=0:first&prompt=x:first&prompt=1:nobody&prompt=99:first", "1 comparison "),
        ("/assets/view.css", "--paper"),
    ],
)
def test_every_page_is_there(client: TestClient, address: str, shown: str) -> None:
    reply = client.get(address)
    assert reply.status_code == 200
    assert shown in reply.text


def test_the_list_of_answers_is_json_for_scripts(client: TestClient) -> None:
    read = client.get("/answers/first?as=json&prompt=base+prompt").json()
    assert read["total"] == 7
    assert {row["prompt"] for row in read["rows"]} == {"base prompt"}


def test_whatever_a_model_says_is_text(client: TestClient) -> None:
    for address in ("/answers/first", "/answer/first?trial=1&item=g2", "/compare?run=first"):
        assert HOSTILE not in client.get(address).text


@pytest.mark.parametrize(
    "address",
    [
        "/run/nobody",
        "/answers/nobody",
        "/report/..%2Ffirst",
        "/answer/first?trial=999&item=g1",
        "/answer/first",
        "/answer/first?trial=-1&item=g1",
        "/run/../first",
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(client: TestClient, address: str) -> None:
    reply = client.get(address)
    assert reply.status_code in (404, 409)
    assert "Traceback" not in reply.text


def test_nothing_can_be_written(client: TestClient) -> None:
    assert client.post("/").status_code == 405
    assert client.delete("/run/first").status_code == 405


def test_without_the_token_nothing_is_shown_and_with_it_a_cookie_lets_in(folder: Path) -> None:
    client = TestClient(make_app(folder, token="secret"), base_url=HERE)
    assert client.get("/").status_code == 403
    assert client.get("/?token=wrong").status_code == 403
    reply = client.get("/run/first?token=secret")
    assert reply.status_code == 200
    assert "token" not in str(reply.url), "it leaves the address bar"
    assert client.get("/answers/first").status_code == 200


def test_a_name_of_somebody_elses_that_resolves_to_this_machine_is_not_served(folder: Path) -> None:
    app = make_app(folder, hosts=frozenset({"gpu-7"}))
    assert TestClient(app, base_url="http://evil.example").get("/").status_code == 421
    assert TestClient(app, base_url="http://gpu-7:8765").get("/").status_code == 200
    assert TestClient(app, base_url="http://[::1]:8765").get("/").status_code == 200


def test_a_bundle_holds_every_page_and_its_links_lead_somewhere(folder: Path, tmp_path: Path) -> None:
    import re  # noqa: PLC0415

    target = tmp_path / "bundle"
    assert write_bundle(folder, target).files == len([path for path in target.rglob("*") if path.is_file()])
    for page in target.rglob("*.html"):
        if page.parts[len(target.parts)] == "report":
            continue
        for link in re.findall(r'(?:href|src)="([^"#?]+)"', page.read_text(encoding="utf-8")):
            assert link.startswith("data:") or (page.parent / link).resolve().exists(), (page, link)
    assert HOSTILE not in (target / "answers" / "first.html").read_text(encoding="utf-8")


def policy(client: TestClient, address: str) -> set[str]:
    return {*client.get(address).headers["content-security-policy"].split("; ")}


def test_further_pages_of_a_run_are_no_pages_of_another_whatever_it_is_called(tmp_path: Path) -> None:
    questions = {f"g{number}": "maths" for number in range(60)}
    for name in ("a", "a-1", "a.page-1", "a.page-1.htm"):
        run = MadeRun(tmp_path / "runs" / name, questions, {"h1": "maths"}, lambda *_: 1.0)
        run.search()
        run.write(ended=False)
    target = tmp_path / "bundle"
    assert write_bundle(tmp_path / "runs", target).files == len([path for path in target.rglob("*") if path.is_file()])
    for name in ("a", "a-1", "a.page-1", "a.page-1.htm"):
        pages = [
            (target / "answers" / file).read_text(encoding="utf-8") for file in (f"{name}.html", f"{name}.page-1.htm")
        ]
        assert [f"page {number} of 2" in page for number, page in enumerate(pages, 1)] == [True, True]
        assert all(f"<title>{name}:" in page or f"run/{name}.html" in page for page in pages)
        assert f'href="../answers/{name}.page-1.htm"' in pages[0]


def test_a_page_read_from_a_folder_is_an_origin_of_its_own_and_no_page_is_framed_elsewhere(tmp_path: Path) -> None:
    folder = made_folder(tmp_path)
    made_experiment(folder / "crafted", "<script>fetch('/')</script>")
    client = TestClient(make_app(folder), base_url=HERE)
    everywhere = {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'self'"}
    for address in ("/", "/run/crafted", "/report/first", "/report/compared", "/report/crafted"):
        assert everywhere <= policy(client, address)
    assert "form-action 'self'" in policy(client, "/run/first")
    assert {"form-action 'none'", "script-src 'unsafe-inline'"} <= policy(client, "/report/first")
    assert "sandbox allow-scripts allow-popups" in policy(client, "/report/crafted")
    assert 'sandbox="allow-scripts allow-popups"' in client.get("/run/crafted").text
    assert "sandbox" not in client.get("/run/first").text

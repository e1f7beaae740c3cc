"""Runs as all tabs share them: what is refused, what is told, and when Snakemake is asked which jobs would run."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from herdbook.app.running import run_desk
from herdbook.app.running.run_desk import RunDesk
from herdbook.errors import HerdbookError

OWN = {"origin": "http://127.0.0.1:8000", "host": "127.0.0.1:8000", "x-herdbook": "1", "content-type": "application/json"}


def test_what_cannot_be_run_is_refused_with_the_reason(serve, experiment_file):
    client = serve(experiment_file())
    act = lambda action, **content: client.post(f"/api/run/{action}", json=content, headers=OWN)  # noqa: E731
    assert act("start", target="my results").json()["fault"].startswith("there is no target 'my results'")
    assert "no number of cores" in act("start", cores=0).json()["fault"]
    assert "no number of cores" in act("start", cores="2; rm").json()["fault"]
    assert "there is no profile '../x'" in act("start", profile="../x").json()["fault"]
    assert act("stop").json()["fault"] == "nothing runs"
    assert "no action" in act("dance").json()["fault"]
    assert client.post("/api/run/stop", json={}).status_code == 403
    assert "no job" in client.get("/api/run/log?job=../../etc/passwd").json()["fault"]
    assert client.get("/api/run/log?job=index/m").json() == {"text": ""}


def test_without_an_experiment_nothing_runs(serve):
    client = serve(None)
    assert client.post("/api/run/stop", json={}, headers=OWN).json()["fault"] == "no experiment is open"


class Planned:
    """Stands for `Runs`: counts how often Snakemake would be asked."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers, self.asked = answers, []

    def state(self) -> dict[str, Any]:
        return {"running": False}

    def planned(self, target: str, values: dict[str, Any]) -> list[dict[str, str]]:
        self.asked.append(values)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [{"stage": stage, "unit": ""} for stage in answer]


def plans(runs: Planned, wishes: list[list[tuple[str, dict[str, Any]]]]) -> list[dict[str, Any]]:
    """What is told when values are wished for, each list at once, and then rest."""
    told: list[dict[str, Any]] = []

    async def tell(message: dict[str, Any]) -> None:
        if message["type"] == "planned":
            told.append(message)

    async def work() -> None:
        desk = RunDesk(tell)
        desk._runs = runs  # type: ignore[assignment]
        watcher = asyncio.create_task(desk.watch())
        for number, wish in enumerate(wishes):
            for key, values in wish:
                desk.plan_for(key, values)
            for _ in range(300):
                await asyncio.sleep(0.01)
                if len(told) > number:
                    break
        watcher.cancel()
        desk.close()

    # In a thread of its own: tests in a browser leave a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work()).result()
    return told


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(run_desk, "REST_S", 0.05)


def test_only_what_rests_is_planned():
    runs = Planned([["segment", "segment", "report"]])
    told = plans(runs, [[("a", {"x": 1}), ("b", {"x": 2}), ("c", {"x": 3})]])
    assert runs.asked == [{"x": 3}]
    assert told == [{"type": "planned", "jobs": {"segment": 2, "report": 1}, "fault": ""}]


def test_the_same_values_are_planned_once_and_faults_are_told():
    runs = Planned([HerdbookError("the movie is missing"), ["report"]])
    told = plans(runs, [[("a", {"x": 1})], [("a", {"x": 1}), ("b", {"x": 2})]])
    assert [message["fault"] for message in told] == ["the movie is missing", ""]
    assert runs.asked == [{"x": 1}, {"x": 2}]

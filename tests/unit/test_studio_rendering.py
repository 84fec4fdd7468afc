"""The Studio's rendering process: what is overtaken is dropped, and what takes the process down is told."""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.errors import NewsletterError, ProblemsFound
from newsletter.scaffold import write_workspace
from newsletter.studio import rendering
from newsletter.studio.rendering import Renderer, Request, workspace_at
from newsletter.subscriber import Subscriber


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    for _ in write_workspace(tmp_path):
        pass
    return Request(tmp_path, next((tmp_path / "issues").glob("*.yaml")))


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    made = Renderer()
    yield made
    made.close()


def test_a_rendering_has_what_this_person_gets(request_: Request, renderer: Renderer) -> None:
    ada = Subscriber(1, "ada@example.org", "Ada Example", {"first_name": "<Ada>"})
    done = asyncio.run(renderer.render(replace(request_, person=ada)))
    assert done is not None
    assert done.subject == "Hello, <Ada>"
    assert "Dear &lt;Ada&gt;," in (done.html or "")
    assert "Dear <Ada>," in done.text
    assert "<Ada>" not in done.source  # as the provider gets it
    assert ('subscriber.first_name or "friend"', "<Ada>") in done.slots
    assert [block.kind for block in done.blocks or ()] == ["text", "section", "story", "quote"]


def test_text_that_is_not_saved_is_what_is_rendered(request_: Request, renderer: Renderer) -> None:
    text = request_.path.read_text("utf-8")
    good = asyncio.run(renderer.render(replace(request_, text=text.replace("News", "Fresh news"))))
    assert good is not None
    assert "Fresh news" in (good.html or "")
    bad = asyncio.run(renderer.render(replace(request_, text=text.replace("type: story", "type: storry"))))
    assert bad is not None
    assert bad.html is None
    assert bad.problems[0].location is not None
    assert text.splitlines()[bad.problems[0].location.line - 1].strip() == "- type: story"
    assert bad.blocks is not None  # the outline stays
    broken = asyncio.run(renderer.render(replace(request_, text="subject: [")))
    assert broken is not None
    assert broken.blocks is None
    assert broken.failure


def test_what_is_overtaken_is_dropped_and_the_newest_always_comes(request_: Request, renderer: Renderer) -> None:
    text = request_.path.read_text("utf-8")

    async def type_quickly() -> list[str | None]:
        texts = [text.replace("title: News", f"title: News {number}") for number in range(12)]
        asked = [renderer.render(replace(request_, text=each), "page") for each in texts]
        done = await asyncio.gather(*asked)
        return [each.html if each else None for each in done]

    done = asyncio.run(type_quickly())
    assert "News 11" in (done[-1] or "")
    assert sum(each is not None for each in done) <= 2


def test_two_pages_do_not_overtake_each_other(request_: Request, renderer: Renderer) -> None:
    async def ask() -> list[object]:
        return list(await asyncio.gather(*(renderer.render(request_, page) for page in ("one", "two", "three"))))

    assert all(asyncio.run(ask()))


def test_a_rendering_that_takes_its_process_down_is_told_and_the_next_one_works(
    request_: Request, renderer: Renderer
) -> None:
    async def ask() -> str | None:
        with pytest.raises(NewsletterError, match="ended its process"):
            await renderer.call(os._exit, 1)
        done = await renderer.render(request_)
        return done.html if done else None

    assert "A story has a headline" in (asyncio.run(ask()) or "")


def test_the_process_of_a_killed_studio_ends_too(tmp_path: Path) -> None:
    script = tmp_path / "studio.py"
    script.write_text("""
import asyncio, os, time
from newsletter.studio.rendering import Renderer

if __name__ == "__main__":
    renderer = Renderer()
    asyncio.run(renderer.call(os.getpid))
    print("ready", flush=True)
    time.sleep(600)
""")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) as studio:
        assert studio.stdout is not None
        assert studio.stdout.readline() == b"ready\n"
        studio.kill()
        # The rendering process has the same standard output, which ends when the last one that holds it does.
        assert select.select([studio.stdout], [], [], 20)[0]
        assert studio.stdout.read() == b""


def test_a_rendering_that_never_ends_is_stopped(
    request_: Request, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask() -> str | None:
        await renderer.render(request_)  # the process is there
        monkeypatch.setattr(rendering, "PATIENCE", 0.3)
        with pytest.raises(NewsletterError, match="longer than"):
            await renderer.call(time.sleep, 600)
        monkeypatch.setattr(rendering, "PATIENCE", 20)
        done = await renderer.render(request_)
        return done.html if done else None

    assert "A story has a headline" in (asyncio.run(ask()) or "")


def test_the_last_good_settings_hold_while_they_have_a_fault(request_: Request, renderer: Renderer) -> None:
    settings = request_.root / "newsletter.yaml"

    async def ask() -> list[str]:
        shown = []
        for name in ("The Example Letter", "The Other Letter", None):
            text = settings.read_text("utf-8")
            if name is None:
                settings.write_text(text + "nonsense: 1\n", "utf-8")
            else:
                settings.write_text(text.replace("The Example Letter", name), "utf-8")
            done = await renderer.render(request_)
            assert done is not None
            shown.append(done.sender[0])
        return shown

    assert asyncio.run(ask()) == ["The Example Letter", "The Other Letter", "The Other Letter"]


def test_a_fault_in_the_settings_comes_whole_out_of_the_process(request_: Request, renderer: Renderer) -> None:
    settings = request_.root / "newsletter.yaml"
    settings.write_text(settings.read_text("utf-8") + "nonsense: 1\n", "utf-8")

    async def ask() -> ProblemsFound:
        with pytest.raises(ProblemsFound) as caught:
            await renderer.call(workspace_at, request_.root)
        return caught.value

    found = asyncio.run(ask())
    assert [(problem.code, problem.location and problem.location.file) for problem in found.problems] == [
        ("unknown-key", "newsletter.yaml")
    ]

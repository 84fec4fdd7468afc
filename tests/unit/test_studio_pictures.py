"""Pictures that authors bring: made fit for an email, stored beside the issue, and nothing outside the workspace shown."""

from __future__ import annotations

import asyncio
import io
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image, ImageCms, PngImagePlugin

from newsletter.render import ImageFolder
from newsletter.scaffold import write_workspace
from newsletter.studio.compose.picture_files import (
    MAX_WIDTH,
    PictureError,
    fit_for_email,
    keep_picture,
    slug,
    small_picture,
)
from newsletter.studio.compose.pictures import add_routes, name_for, pictures_of
from newsletter.studio.desk import Desk


def picture(form: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **more: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, more.pop("colour", "teal")).save(buffer, form, **more)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for _ in write_workspace(tmp_path / "workspace"):
        pass
    return tmp_path / "workspace"


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (picture("JPEG"), ".jpg"),
        (picture("JPEG", mode="CMYK", colour=(0, 0, 0, 0)), ".jpg"),
        (picture("JPEG", mode="L", colour=9), ".jpg"),
        (picture("PNG"), ".png"),
        (picture("PNG", mode="RGBA"), ".png"),
        (picture("PNG", mode="I;16", colour=40000), ".png"),
        (picture("PNG", mode="P", colour=3), ".png"),
        (picture("GIF", mode="P", colour=3), ".gif"),
        (picture("GIF", size=(MAX_WIDTH + 10, 20), mode="P", colour=3), ".png"),
        (picture("WEBP"), ".jpg"),
        (picture("WEBP", mode="RGBA", colour=(0, 0, 0, 0)), ".png"),
    ],
)
def test_pictures_become_what_mail_clients_show(data: bytes, suffix: str) -> None:
    made, given = fit_for_email(data, "photo")
    assert given == suffix
    assert opened(made).format == {".jpg": "JPEG", ".png": "PNG", ".gif": "GIF"}[suffix]
    assert opened(made).width <= MAX_WIDTH


def test_large_ones_are_scaled_small_ones_are_not() -> None:
    assert opened(fit_for_email(picture("JPEG", (4000, 3000)), "a.jpg")[0]).size == (MAX_WIDTH, 960)
    assert opened(fit_for_email(picture("JPEG", (100, 80)), "a.jpg")[0]).size == (100, 80)


def test_they_are_turned_upright_and_lose_their_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "A camera"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = picture("JPEG", (60, 20), exif=exif.tobytes(), icc_profile=profile, comment=b"a comment")
    made = opened(fit_for_email(data, "a.jpg")[0])
    assert made.size == (20, 60)
    assert not made.getexif()
    assert not {"icc_profile", "comment", "exif"} & set(made.info)


def test_no_words_in_the_file_are_kept() -> None:
    made = opened(fit_for_email(picture("JPEG", comment=b"a secret"), "a.jpg")[0])
    assert "comment" not in made.info
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Somebody")
    made = opened(fit_for_email(picture("PNG", pnginfo=text), "a.png")[0])
    made.load()
    assert "Author" not in made.info


def test_transparency_is_kept() -> None:
    made, _ = fit_for_email(picture("PNG", (2000, 1000), mode="RGBA", colour=(0, 0, 0, 0)), "a.png")
    assert opened(made).convert("RGBA").getpixel((5, 5))[3] == 0


def test_an_animation_stays_as_it_is() -> None:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert fit_for_email(buffer.getvalue(), "a.gif") == (buffer.getvalue(), ".gif")


def bomb() -> bytes:
    """A file that says that it is 40,000 pixels wide and high."""
    data = bytearray(picture("PNG", (1, 1)))
    data[16:24] = (40_000).to_bytes(4) * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "isn't a JPEG, PNG, GIF or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "isn't a JPEG, PNG, GIF or WebP"),
        (picture("BMP"), "isn't a JPEG, PNG, GIF or WebP"),
        (picture("TIFF"), "isn't a JPEG, PNG, GIF or WebP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic format"),
        (picture("JPEG", (8000, 8000)), "too many"),
        (bomb(), "too many pixels"),
        (picture("PNG", (300, 300))[:-40], "damaged"),
    ],
)
def test_what_is_no_picture_for_emails_is_refused_with_a_sentence(data: bytes, why: str) -> None:
    with pytest.raises(PictureError, match=why):
        fit_for_email(data, "it")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Harbour at Dusk.JPG", "harbour-at-dusk"),
        ("C:\\Users\\ada\\Über.png", "uber"),
        ("../../etc/passwd", "passwd"),
        ("写真.jpg", "picture"),
        ("", "picture"),
        ("no-suffix", "no-suffix"),
    ],
)
def test_names_become_plain(name: str, stem: str) -> None:
    assert slug(name) == stem


def test_no_file_is_written_over_and_the_same_picture_is_stored_once(root: Path) -> None:
    issues = root / "issues"
    first = keep_picture(picture("JPEG"), "Photo.jpg", issues, root)
    again = keep_picture(picture("JPEG"), "photo.jpeg", issues, root)
    other = keep_picture(picture("JPEG", colour="red"), "photo.jpg", issues, root)
    assert (first, again, other) == ("images/photo.jpg", "images/photo.jpg", "images/photo-2.jpg")
    assert ImageFolder((issues, root), root).find(other).width == 40


def test_a_folder_that_leads_out_of_the_workspace_is_not_written_to(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / "issues" / "images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PictureError, match="out of the workspace"):
        keep_picture(picture("JPEG"), "a.jpg", root / "issues", root)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_pictures_are_named_as_the_issue_finds_them(root: Path) -> None:
    issue = next((root / "issues").glob("*.yaml"))
    for place in (
        "issues/images/a.jpg",
        "images/b.jpg",
        "images/a.jpg",
        "logo.png",
        ".newsletter/c.jpg",
        "templates/d.jpg",
    ):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (10, 8), "teal").save(root / place)
    (root / "issues" / "notes.jpg").write_text("no picture")
    found = {each["src"] for each in pictures_of(root, issue)}
    assert found == {"images/a.jpg", "images/b.jpg", "../images/a.jpg", "logo.png"}
    folder = ImageFolder((issue.parent, root), root)
    assert folder.find("../images/a.jpg").path == root / "images" / "a.jpg"
    assert name_for(root / "images" / "b.jpg", root, issue.parent) == "images/b.jpg"


def test_small_copies_are_small(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(picture("JPEG", (2000, 1000)))
    media_type, data = small_picture(path, path.stat().st_mtime_ns)
    assert (media_type, opened(data).size) == ("image/jpeg", (320, 160))


class Client:
    """Asks the routes, without a server."""

    def __init__(self, root: Path) -> None:
        self._app = FastAPI()
        add_routes(self._app, Desk(root))

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._ask("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self._ask("POST", path, **more)

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def asking() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **more)

        return asyncio.run(asking())


@pytest.fixture
def client(root: Path) -> Client:
    return Client(root)


def test_a_picture_is_brought_listed_and_shown(root: Path, client: Client) -> None:
    stem = next((root / "issues").glob("*.yaml")).stem
    answer = client.post(f"/picture/{stem}", params={"name": "Photo.jpg"}, content=picture("JPEG", (3000, 1000)))
    assert answer.json() == {"src": "images/photo.jpg"}
    assert client.get(f"/pictures/{stem}").json() == [{"src": "images/photo.jpg", "width": 1280, "height": 427}]
    shown = client.get(f"/picture/{stem}", params={"src": "images/photo.jpg"})
    assert (shown.headers["content-type"], opened(shown.content).width) == ("image/jpeg", 320)
    again = client.get(
        f"/picture/{stem}", params={"src": "images/photo.jpg"}, headers={"If-None-Match": shown.headers["etag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize(
    "src",
    ["../newsletter.yaml", "/etc/hostname", "images/none.jpg", "https://www.example.org/a.jpg", "../../secret.jpg", ""],
)
def test_only_pictures_of_the_workspace_are_shown(root: Path, client: Client, src: str) -> None:
    (root.parent / "secret.jpg").write_bytes(picture("JPEG"))
    stem = next((root / "issues").glob("*.yaml")).stem
    assert client.get(f"/picture/{stem}", params={"src": src}).status_code == 404


def test_a_link_to_a_picture_outside_is_not_followed(root: Path, client: Client) -> None:
    (root.parent / "secret.jpg").write_bytes(picture("JPEG"))
    (root / "issues" / "link.jpg").symlink_to(root.parent / "secret.jpg")
    stem = next((root / "issues").glob("*.yaml")).stem
    assert client.get(f"/picture/{stem}", params={"src": "link.jpg"}).status_code == 404
    assert client.get(f"/pictures/{stem}").json() == []


@pytest.mark.parametrize("stem", ["none", "..%2Fnewsletter", "issue.schema"])
def test_there_has_to_be_an_issue(client: Client, stem: str) -> None:
    assert client.get(f"/picture/{stem}", params={"src": "a.jpg"}).status_code == 404
    assert client.get(f"/pictures/{stem}").json() == [] or client.get(f"/pictures/{stem}").status_code == 404
    assert client.post(f"/picture/{stem}", params={"name": "a"}, content=b"x").status_code in (404, 422)


def test_a_refusal_says_why(root: Path, client: Client) -> None:
    stem = next((root / "issues").glob("*.yaml")).stem
    answer = client.post(f"/picture/{stem}", params={"name": "notes.txt"}, content=b"words")
    assert (answer.status_code, answer.json()["message"]) == (422, "notes.txt isn't a JPEG, PNG, GIF or WebP picture")
    answer = client.post(f"/picture/{stem}", params={"name": "big.jpg"}, content=b"x" * 30_000_001)
    assert answer.json()["message"] == "big.jpg has more than 30 MB; choose a smaller version"
    assert not (root / "issues" / "images").exists()

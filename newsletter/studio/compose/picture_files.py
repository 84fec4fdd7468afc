"""Picture files that authors bring: checked, made fit for an email, and kept beside the issue; and small copies."""

from __future__ import annotations

import functools
import io
import re
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.errors import NewsletterError
from newsletter.render.images import MAX_PIXELS

if TYPE_CHECKING:
    from PIL import Image as Pillow

MAX_BYTES = 30_000_000
MAX_WIDTH = 1280
"""Pixels: about twice the width of an email, for screens that show two of its pixels as one."""
FOLDER = "images"
SMALL = 320
"""The width of small copies, in pixels."""

_READ = ("JPEG", "PNG", "GIF", "WEBP")
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif"}
_BRANDS = {b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis"}


class PictureError(NewsletterError):
    """A file that isn't a picture that emails can show."""


def keep_picture(data: bytes, name: str, folder: Path, root: Path) -> str:
    """Make a picture fit for an email, store it in `images` of `folder`, and give its path from there.

    It is turned upright, made at most MAX_WIDTH pixels wide, and stripped of its metadata; an animation is left as it
    is. No file is written over: the same picture is stored once, another one of its name gets a number. Raises
    PictureError for what isn't a JPEG, PNG, GIF or WebP picture, or too large; OSError when it can't be stored.
    """
    made, suffix = fit_for_email(data, name)
    place = folder / FOLDER
    if not place.resolve().is_relative_to(root.resolve()):
        raise PictureError(f"{FOLDER}/ leads out of the workspace", hint="make it a folder of its own")
    place.mkdir(exist_ok=True)
    stem, number = slug(name), 1
    while True:
        path = place / f"{stem}{f'-{number}' if number > 1 else ''}{suffix}"
        with suppress(FileExistsError), path.open("xb") as file:
            file.write(made)
            return f"{FOLDER}/{path.name}"
        if path.is_file() and path.read_bytes() in (made, data):
            return f"{FOLDER}/{path.name}"
        number += 1


def slug(name: str) -> str:
    """The name of a file without its suffix, in letters, digits and hyphens; `picture` when nothing is left of it."""
    file = name.replace("\\", "/").rpartition("/")[2]
    stem = file.rpartition(".")[0] or file
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "picture"


def fit_for_email(data: bytes, name: str) -> tuple[bytes, str]:
    """A picture as JPEG, PNG or GIF, upright, not too wide, without metadata; and the suffix for its file.

    Raises PictureError.
    """
    with _opened(data, name) as picture:
        if getattr(picture, "is_animated", False) and picture.format == "GIF":
            return data, ".gif"
        kept = _upright(picture, name)
        if kept.width > MAX_WIDTH:
            kept = _scaled(kept, MAX_WIDTH)
        form = "JPEG" if picture.format in ("JPEG", "MPO") else str(picture.format)
        if form == "WEBP":
            form = "PNG" if kept.mode == "RGBA" else "JPEG"
        elif form == "GIF" and kept.mode not in ("P", "L", "1"):
            form = "PNG"
        return _encoded(kept, form), _SUFFIXES[form]


@functools.lru_cache(maxsize=256)
def small_picture(path: Path, _modified: int) -> tuple[str, bytes]:
    """Media type and bytes of the picture at `path`, made small. Raises PictureError, OSError."""
    with _opened(path.read_bytes(), path.name) as picture:
        kept = _upright(picture, path.name)
    if kept.width > SMALL:
        kept = _scaled(kept, SMALL)
    form = "JPEG" if kept.mode in ("RGB", "L") else "PNG"
    return f"image/{form.lower()}", _encoded(kept, form)


def _opened(data: bytes, name: str) -> Pillow.Image:
    """A picture of which only the size is read yet. Raises PictureError."""
    from PIL import Image as Pillow

    if data[4:8] == b"ftyp" and data[8:12] in _BRANDS:
        hint = "export it as JPEG: mail clients don't show this kind"
        raise PictureError(f"{name} is a photo in {data[8:12].decode()} format", hint=hint)
    try:
        picture = Pillow.open(io.BytesIO(data), formats=_READ)
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise PictureError(f"{name} has too many pixels", hint="choose a smaller version") from None
    except (OSError, ValueError, SyntaxError):
        raise PictureError(f"{name} isn't a JPEG, PNG, GIF or WebP picture") from None
    if picture.width * picture.height > MAX_PIXELS:
        size = f"{picture.width:,} × {picture.height:,} pixels"
        raise PictureError(f"{name} has {size}, which is too many", hint="choose a smaller version")
    return picture


def _upright(picture: Pillow.Image, name: str) -> Pillow.Image:
    """The picture decoded, turned as its metadata says, its colours those of the web. Raises PictureError."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    try:
        picture.load()
        profile = picture.info.get("icc_profile")
        turned = ImageOps.exif_transpose(picture)
    except (OSError, ValueError, SyntaxError, MemoryError, Pillow.DecompressionBombError):
        raise PictureError(f"{name} is damaged: it can't be read to its end", hint="try to export it again") from None
    if turned.mode.startswith("I"):  # sixteen bits
        turned = turned.point(lambda value: value / 256).convert("L")
    if turned.mode == "PA" or (turned.mode == "P" and (picture.format != "GIF" or "transparency" in turned.info)):
        turned = turned.convert("RGBA" if turned.mode == "PA" or "transparency" in turned.info else "RGB")
    elif turned.mode in ("LA", "La", "RGBa") or (turned.mode in ("RGB", "L") and "transparency" in turned.info):
        turned = turned.convert("RGBA")
    if profile and turned.mode in ("RGB", "RGBA", "CMYK", "L"):
        turned = _web_colours(turned, profile)
    return turned if turned.mode in ("RGB", "RGBA", "L", "P", "1") else turned.convert("RGB")


def _web_colours(picture: Pillow.Image, profile: bytes) -> Pillow.Image:
    """The colours that `profile` means in sRGB, as mail clients take them; as they are where that can't be told."""
    from PIL import ImageCms

    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = picture.mode if picture.mode in ("RGB", "RGBA") else "RGB"
        made = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode=mode)
        return made or picture
    return picture


def _scaled(picture: Pillow.Image, width: int) -> Pillow.Image:
    from PIL import Image as Pillow

    if picture.mode in ("P", "1"):
        picture = picture.convert("RGB")
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Pillow.Resampling.LANCZOS)


def _encoded(picture: Pillow.Image, form: str) -> bytes:
    """The picture's file, with nothing in it but the picture."""
    buffer = io.BytesIO()
    picture.info = {}
    if form == "JPEG":
        if picture.mode not in ("RGB", "L"):
            picture = picture.convert("RGB")
        picture.save(buffer, "JPEG", quality=88, optimize=True, progressive=True)
    else:
        picture.save(buffer, form, optimize=True)
    return buffer.getvalue()

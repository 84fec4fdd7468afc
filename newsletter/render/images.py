"""Local images: checked, scaled to the width at which the mail shows them, and given an address."""

from __future__ import annotations

import functools
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.fields import Image
from newsletter.issue.rendered import InlineImage

if TYPE_CHECKING:
    from PIL import Image as Pillow

RETINA = 2
"""Pixels of the file for one of the mail, where the original has them."""
MAX_PIXELS = 60_000_000

_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif"}
_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif"}


class ImageError(ValueError):
    """A local image that is missing, outside the workspace, or not an image mail clients show."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An image where it stands: `width` and `height` in CSS pixels; no height is known of a remote one."""

    src: str
    alt: str
    width: int
    height: int | None


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A local image file as it is: its size in pixels and in bytes."""

    path: Path
    width: int
    height: int
    weight: int


class ImageFolder:
    """Finds the images of an issue, and keeps those that its rendering uses.

    `folders` are searched in order (the issue's own, then the workspace); nothing outside `root` is read. With a
    `base_url`, images are addressed there; otherwise they are embedded and addressed by content id.
    """

    def __init__(self, folders: Sequence[Path], root: Path, base_url: str | None = None) -> None:
        self._folders = folders
        self._root = root.resolve()
        self._base_url = base_url.rstrip("/") if base_url else None
        self.used: dict[str, InlineImage] = {}

    def find(self, src: str) -> LocalFile:
        """The file that `src` names. Raises ImageError."""
        for folder in self._folders:
            path = (folder / src).resolve()
            if path.is_file():
                if not path.is_relative_to(self._root):
                    raise ImageError(f"`{src}` is outside the workspace")
                return _inspect(path, path.stat().st_mtime_ns)
        raise ImageError(f"there is no file `{src}`")

    def place(self, image: Image, width: int) -> Placed:
        """`image` shown at most `width` CSS pixels wide. Raises ImageError."""
        if image.src.startswith("https:"):
            return Placed(image.src, image.alt, width, None)
        file = self.find(image.src)
        shown = min(width, file.width)
        scaled = _scale(file.path, file.path.stat().st_mtime_ns, shown * RETINA)
        self.used[scaled.content_id] = scaled
        address = f"{self._base_url}/{scaled.filename}" if self._base_url else f"cid:{scaled.content_id}"
        return Placed(address, image.alt, shown, max(1, round(file.height * shown / file.width)))


@functools.lru_cache(maxsize=1024)
def _inspect(path: Path, _modified: int) -> LocalFile:
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        with Pillow.open(path) as picture:
            if picture.format not in _MEDIA_TYPES:
                raise ImageError(f"`{path.name}` is {picture.format}; mail clients show JPEG, PNG and GIF")
            if picture.width * picture.height > MAX_PIXELS:
                raise ImageError(f"`{path.name}` has {picture.width} × {picture.height} pixels, which is too many")
            turned = picture.getexif().get(0x0112, 1) in {5, 6, 7, 8}
            width, height = (picture.height, picture.width) if turned else picture.size
    except UnidentifiedImageError:
        raise ImageError(f"`{path.name}` isn't an image that can be read") from None
    return LocalFile(path, width, height, path.stat().st_size)


@functools.lru_cache(maxsize=256)
def _scale(path: Path, _modified: int, width: int) -> InlineImage:
    """The image at most `width` pixels wide, without its metadata; an animation stays as it is."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    original = path.read_bytes()
    with Pillow.open(io.BytesIO(original)) as picture:
        media_type = _MEDIA_TYPES[str(picture.format)]
        if getattr(picture, "n_frames", 1) > 1:
            data = original
        else:
            data = _encode(ImageOps.exif_transpose(picture), media_type, width)
            if len(data) > len(original) and picture.width <= width and not picture.getexif():
                data = original
    digest = hashlib.sha256(data).hexdigest()[:10]
    stem = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:40] or "image"
    return InlineImage(f"{stem}-{digest}", f"{stem}-{digest}{_SUFFIXES[media_type]}", media_type, data)


def _encode(picture: Pillow.Image, media_type: str, width: int) -> bytes:
    from PIL import Image as Pillow

    if picture.width > width:
        height = max(1, round(picture.height * width / picture.width))
        if picture.mode == "P":
            picture = picture.convert("RGBA")
        picture = picture.resize((width, height), Pillow.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if media_type == "image/jpeg":
        picture.convert("RGB").save(buffer, "JPEG", quality=82, optimize=True, progressive=True)
    elif media_type == "image/gif":
        picture.save(buffer, "GIF")
    else:
        picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()

"""The pipeline: an issue and a theme into HTML and plain text. It knows no subscribers and no provider."""

from newsletter.render.document import Inputs
from newsletter.render.images import ImageError, ImageFolder
from newsletter.render.pipeline import GROUP_LINK, conditions_of, render

__all__ = ["GROUP_LINK", "ImageError", "ImageFolder", "Inputs", "conditions_of", "render"]

"""Lettering: the title, wrapped and sized so that it fits its box."""

from PIL import Image, ImageDraw, ImageFont


class Lettering:
    """The title of a picture."""

    def __init__(self, text: str) -> None:
        self._words = text.split()

    def picture(self, width: int, height: int) -> Image.Image:
        """The title as a mask of the picture's size."""
        mask = Image.new("L", (width, height))
        size = max(8, round((width * height) ** 0.5 / 18))
        font = ImageFont.load_default(size)
        margin = width // 16
        lines: list[str] = []
        for word in self._words:
            if lines and font.getlength(f"{lines[-1]} {word}") <= width - 2 * margin:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        draw = ImageDraw.Draw(mask)
        for number, line in enumerate(lines[:3]):
            draw.text((margin, height * 0.75 + number * size * 1.2), line, fill=255, font=font)
        return mask

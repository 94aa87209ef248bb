"""Makes the web font once: `python -m propolis.ui.fonts` (part of `make setup`).

Inter's variable font (about 900 KB of TrueType) becomes a Latin WOFF2 of about 150 KB with the style sheet
that names it. Without them pages use the system's own typeface.
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "static" / "ui" / "fonts"
STYLE_SHEET = FOLDER / "inter.css"
# Latin, Latin-1, Latin Extended-A and B, general punctuation, currency, arrows: what names and amounts need.
RANGES = ((0x20, 0x7E), (0xA0, 0x24F), (0x2000, 0x206F), (0x20A0, 0x20BF), (0x2190, 0x21FF), (0x2212, 0x2212))
CSS = """@layer tokens {
  @font-face {
    font-family: Inter; src: url("inter.woff2") format("woff2"); font-weight: 100 900; font-display: swap;
  }
}
"""


def build(folder: Path = FOLDER) -> Path:
    """Writes inter.woff2 and inter.css into the folder; ImportError where fontpkg-inter is not installed."""
    import fontpkg_inter
    from fontTools import subset

    source = Path(fontpkg_inter.ROOT) / "files" / "Inter[opsz,wght].ttf"
    options = subset.Options(flavor="woff2", layout_features=["*"], notdef_outline=True)
    font = subset.load_font(str(source), options)
    maker = subset.Subsetter(options)
    maker.populate(unicodes=[code for first, last in RANGES for code in range(first, last + 1)])
    maker.subset(font)
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "inter.woff2"
    subset.save_font(font, str(made), options)
    (folder / STYLE_SHEET.name).write_text(CSS)
    return made


def is_built() -> bool:
    return STYLE_SHEET.exists()


if __name__ == "__main__":
    if not is_built() or "--again" in sys.argv:
        build()

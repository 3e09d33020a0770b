"""Chromium without a network: opens a page, lets a probe look at what was laid out, and takes a picture of it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.lacking import lacking
from tests.patience import PATIENCE

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
# What is read from the page once it is laid out. Texts are compared with the picture that they are in.
PROBE = """
<pre id="probe"></pre><script>
addEventListener("load", () => {
  const outside = [...document.querySelectorAll("svg text")].filter((text) => {
    const box = text.getBBox(), view = text.ownerSVGElement.viewBox.baseVal;
    return box.x < 0 || box.y < 0 || box.x + box.width > view.width || box.y + box.height > view.height;
  });
  const stroke = document.querySelector("path.s0");
  document.getElementById("probe").textContent = JSON.stringify({
    resources: performance.getEntriesByType("resource").map((entry) => entry.name),
    wide: document.documentElement.scrollWidth - innerWidth,
    height: document.querySelector("main").getBoundingClientRect().height,
    pictures: [...document.querySelectorAll("svg")].map((svg) => Math.round(svg.getBoundingClientRect().width)),
    outside: outside.map((text) => text.textContent),
    stroke: stroke && getComputedStyle(stroke).stroke,
    ground: getComputedStyle(document.body).backgroundColor,
    texts: document.querySelector("main").innerText,
  });
});
</script>
"""


def chromium() -> str:
    """Find the browser; without one the test is skipped, or fails where CI must have it."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        lacking("no Chromium on PATH: install the package chromium")
    return found


def look_at(page: Path, folder: Path, width: int = 1120, *flags: str) -> dict[str, Any]:
    """Open a page in a window of this width, and return what the probe saw."""
    probed = folder / f"probed-{width}.html"
    probed.write_text(page.read_text().replace("</body>", f"{PROBE}</body>"))
    dom = _run(folder, f"--window-size={width},2000", *flags, "--dump-dom", probed.as_uri())
    seen: dict[str, Any] = json.loads(_unescape(dom.partition('<pre id="probe">')[2].partition("</pre>")[0]))
    return seen


def picture_of(page: Path, folder: Path) -> bytes:
    """Take a picture of a page."""
    target = folder / "picture.png"
    _run(folder, "--window-size=1120,1900", f"--screenshot={target}", page.as_uri())
    return target.read_bytes()


def _run(folder: Path, *arguments: str) -> str:
    command = [chromium(), *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _unescape(text: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text

"""The frame of pages that commands write, and its style: light and dark, narrow and wide, screen and print."""

from collections.abc import Iterable
from html import escape

STYLE = """
:root{--ground:#fff;--card:#f7f8fa;--ink:#1b2430;--soft:#5d6875;--line:#dfe3e8;--good:#16794c;--bad:#b3261e;
--goodbg:#e7f5ed;--badbg:#fdecea;--s0:#2f6fde;--s1:#0f9d8a;--s2:#d17a00;--s3:#b0338f;--kept:#57b889;--broken:#d9534a}
@media (prefers-color-scheme:dark){:root{--ground:#12161c;--card:#1b2129;--ink:#e6eaf0;--soft:#9aa5b1;--line:#313a45;
--good:#6fd3a0;--bad:#ff8a80;--goodbg:#16301f;--badbg:#3a1a18;--s0:#7aa7ff;--s1:#4fd1bf;--s2:#ffb454;--s3:#e58ad0;
--kept:#3f9c6d;--broken:#e06a60}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif}
main{max-width:1040px;margin:0 auto;padding:32px 24px 48px}
header{display:grid;grid-template-columns:1fr auto;gap:4px 24px;align-items:end}
h1{margin:0;font-size:28px;font-weight:650;letter-spacing:-.01em}
h2{margin:0 0 12px;font-size:18px;font-weight:600}
.where{margin:0;color:var(--soft);text-align:right;font-size:14px}
.verdict{grid-column:1/-1;margin:12px 0 0;padding:12px 16px;border-radius:8px;font-weight:600}
.verdict.good{background:var(--goodbg);color:var(--good)}
.verdict.bad{background:var(--badbg);color:var(--bad)}
.verdict.neutral{background:var(--card);color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:20px 0 8px}
.tile{background:var(--card);border-radius:8px;padding:14px 16px;display:flex;flex-direction:column;gap:2px}
.tile span{font-size:13px;color:var(--soft)}
.tile strong{font-size:24px;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
.tile small{font-size:12px;color:var(--soft);min-height:18px}
section{margin-top:32px}
svg{display:block;width:100%;height:auto}
svg path{fill:none}
.grid{stroke:var(--line);stroke-width:1}
.faint{stroke-dasharray:2 4}
.tick{fill:var(--soft);font-size:12px}
.series{stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
path.s0{stroke:var(--s0)}path.s1{stroke:var(--s1)}path.s2{stroke:var(--s2)}path.s3{stroke:var(--s3)}
circle.s0{fill:var(--s0)}circle.s1{fill:var(--s1)}circle.s2{fill:var(--s2)}circle.s3{fill:var(--s3)}
path.threshold,path.promise{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:6 4}
text.threshold,text.promise{fill:var(--bad);font-size:12px}
rect.kept{fill:var(--kept)}rect.broken{fill:var(--broken)}
.legend{display:flex;gap:18px;flex-wrap:wrap;margin:0 0 8px;font-size:13px;color:var(--soft)}
.legend i{display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:6px;vertical-align:middle}
.legend .s0{background:var(--s0)}.legend .s1{background:var(--s1)}.legend .s2{background:var(--s2)}
.legend .s3{background:var(--s3)}.legend .threshold{background:var(--bad)}
.note,.small{color:var(--soft);font-size:13px}
.note{margin:6px 0 0}
.small h2{font-size:15px}
.small ul{margin:0;padding-left:18px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left;font-weight:600;color:var(--soft);font-size:12.5px;border-bottom:1px solid var(--line)}
th{padding:6px 12px 6px 0}
td{border-bottom:1px solid var(--line);padding:8px 12px 8px 0;vertical-align:top}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.found td:nth-child(n+3){overflow-wrap:anywhere;min-width:9em}
@media (max-width:640px){main{padding:20px 16px}header{grid-template-columns:1fr}.where{text-align:left}}
@media print{main{padding:0;max-width:none}section{break-inside:avoid}body{font-size:12px}}
"""


def html_document(title: str, sections: Iterable[str]) -> str:
    """Return a page of its own: the sections, which are HTML, under a title, which is not."""
    body = "\n".join(sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )

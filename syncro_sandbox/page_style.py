"""The one style sheet of the sandbox's pages, light and dark."""

CSS = """\
:root{color-scheme:light dark;--ink:#1d2433;--soft:#566074;--line:#dfe3ea;--ground:#f6f7f9;--card:#fff;
--mark:#0b5c8a;--warm:#9a3b12;--good:#e5f4ea;--good-ink:#14532d}
@media (prefers-color-scheme:dark){:root{--ink:#e8ebf1;--soft:#a4adbd;--line:#323a49;--ground:#12161d;
--card:#1a202a;--mark:#7cc4ec;--warm:#f4a27d;--good:#14301f;--good-ink:#b6ecc8}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:center;padding:.75rem 1.25rem;
background:var(--card);border-bottom:3px solid var(--mark)}
nav{display:flex;gap:1rem}
a{color:var(--mark)}
.brand{font-weight:700;text-decoration:none}
main{max-width:62rem;margin:0 auto;padding:1.25rem}
footer{max-width:62rem;margin:0 auto;padding:1rem 1.25rem 2rem;color:var(--soft);font-size:.875rem}
h1{font-size:1.6rem;line-height:1.2;margin:.25rem 0 1rem;overflow-wrap:anywhere}
h1 small{color:var(--soft);font-weight:400}
h2{font-size:1.05rem;margin:0 0 .75rem}
.kind{color:var(--soft);margin:0}
section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:1rem 0}
.counts{display:flex;flex-wrap:wrap;gap:.75rem}
.count{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1.25rem;
text-decoration:none}
.count b{display:block;font-size:1.5rem;color:var(--ink)}
.headline{display:flex;flex-wrap:wrap;gap:.75rem 2.5rem;margin:1.25rem 0}
.headline dt,.headline dd{border:0;padding:0}
.headline dd{font-size:1.2rem;font-weight:600}
details{margin-top:1rem}
summary{cursor:pointer;color:var(--mark);padding:.4rem 0}
td a{overflow-wrap:normal;white-space:nowrap}
dl{display:grid;grid-template-columns:minmax(8rem,16rem) 1fr;margin:0}
dt,dd{margin:0;padding:.35rem .5rem .35rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
dt{color:var(--soft)}
dd{white-space:pre-wrap}
.none{color:var(--soft);font-style:italic}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
th,td{text-align:left;padding:.4rem .75rem .4rem 0;border-top:1px solid var(--line);vertical-align:top;
overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600;border-top:0;white-space:nowrap}
.buttons{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center}
.buttons p{margin:0;color:var(--soft);font-size:.875rem;flex-basis:100%}
button{font:inherit;font-weight:600;min-height:2.75rem;padding:.4rem 1rem;border-radius:.4rem;cursor:pointer;
border:1px solid var(--mark);background:var(--mark);color:var(--card)}
button.risky{background:transparent;border-color:var(--warm);color:var(--warm)}
:focus-visible{outline:3px solid var(--warm);outline-offset:2px}
input{font:inherit;min-height:2.75rem;padding:.4rem .6rem;border:1px solid var(--soft);border-radius:.4rem;
background:var(--card);color:var(--ink);min-width:min(20rem,60vw)}
.search{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin-bottom:1rem}
.done{background:var(--good);color:var(--good-ink);border-radius:.4rem;padding:.6rem .9rem}
.pager{color:var(--soft)}
@media (max-width:48rem){td{min-width:8rem}}
@media (max-width:36rem){dl{grid-template-columns:1fr}dd{border-top:0;padding-top:0}}
"""

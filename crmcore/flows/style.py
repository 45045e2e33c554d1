"""How a report looks: one style sheet for screens of any width, light and dark pages, and paper."""

# ruff: noqa: E501

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root{color-scheme:light dark;--paper:#fdfdfd;--ground:#f3f5f7;--ink:#243140;--quiet:#56616d;--rule:#dfe3e8;--blue:#0072b2;
--wash:#e4f0f8;--warm:#fdf3e4;--warm-rule:#e69f00}
@media(prefers-color-scheme:dark){:root{--paper:#14181d;--ground:#0c0f12;--ink:#e6e9ed;--quiet:#b3bbc4;--rule:#2f3740;
--blue:#4aa3dc;--wash:#173041;--warm:#2b2315;--warm-rule:#b57d0c}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:1.5rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans","Noto Sans Thai","Liberation Sans",sans-serif}
.page{display:grid;grid-template-columns:15rem minmax(0,1fr);gap:2.5rem;max-width:76rem;margin:0 auto;padding:2.5rem 2rem 4rem}
header{grid-column:1/-1;border-bottom:1px solid var(--rule);padding-bottom:1.75rem}
h1{font-size:clamp(1.7rem,4vw,2.4rem);line-height:1.15;letter-spacing:-.02em;margin:0 0 .6rem;text-wrap:balance}
h2{font-size:1.65rem;line-height:1.2;letter-spacing:-.015em;margin:0 0 .6rem}
h3{font-size:1.15rem;line-height:1.3;margin:2.75rem 0 .6rem;padding-top:1.25rem;border-top:1px solid var(--rule)}
p{margin:.6rem 0;max-width:46rem;text-wrap:pretty}
.lead{font-size:1.1rem;color:var(--quiet);max-width:50rem}
code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;background:var(--wash);
padding:.1em .35em;border-radius:.3em;overflow-wrap:anywhere}
a{color:var(--blue)}
nav{font-size:.9rem;line-height:1.35}
nav>div{position:sticky;top:1.5rem;max-height:calc(100vh - 3rem);overflow:auto}
nav b{display:block;color:var(--quiet);font-weight:600;margin-bottom:.5rem}
nav ol{list-style:none;margin:0;padding:0}
nav ol ol{margin:.2rem 0 .8rem;padding-left:.8rem;border-left:2px solid var(--rule)}
nav a{display:block;padding:.22rem 0;color:var(--ink);text-decoration:none}
nav a:hover{color:var(--blue);text-decoration:underline}
nav ol ol a{color:var(--quiet)}
main{min-width:0}
section+section{margin-top:4rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(11.5rem,1fr));gap:.9rem;margin-top:1.5rem}
.card{background:var(--paper);border:1px solid var(--rule);border-radius:.7rem;padding:.9rem 1.1rem}
.card dt{color:var(--quiet);font-size:.88rem;line-height:1.3}
.card dd{margin:0}
.card .number{font-size:1.75rem;line-height:1.3;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.card .detail{color:var(--quiet);font-size:.84rem;line-height:1.35}
figure{margin:1.2rem 0;background:var(--paper);border:1px solid var(--rule);border-radius:.7rem;padding:1rem 1.1rem;
break-inside:avoid}
figure svg{display:block;max-width:100%;height:auto}
.narrow{display:none}
figure pre{margin:0;overflow:auto;max-height:28rem;font:.82rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
figcaption{margin-top:.6rem;font-size:.93rem}
figcaption p{margin:.3rem 0}
.reading{color:var(--quiet)}
.reading b{color:var(--ink);font-weight:600}
.table{margin:1.1rem 0;background:var(--paper);border:1px solid var(--rule);border-radius:.7rem;overflow:hidden}
.scroll{overflow-x:auto}
.caption{margin:0;padding:.8rem 1rem .1rem .9rem;font-size:.9rem;line-height:1.45;color:var(--quiet);max-width:none}
table{border-collapse:collapse;width:100%;font-size:.9rem;line-height:1.4;font-variant-numeric:tabular-nums}
th,td{padding:.42rem .9rem;text-align:left;vertical-align:top;border-top:1px solid var(--rule)}
th{border-top:0;color:var(--quiet);font-weight:600;font-size:.84rem;vertical-align:bottom}
td:first-child{font-weight:500}
.num{text-align:right}
td.num{white-space:nowrap}
.short{white-space:nowrap}
.bar{background:linear-gradient(to right,var(--wash) var(--at),transparent var(--at))}
details{margin:1.1rem 0}
summary{cursor:pointer;color:var(--blue);font-size:.95rem}
details .table{margin-top:.6rem}
.note{background:var(--warm);border-left:3px solid var(--warm-rule);border-radius:0 .5rem .5rem 0;padding:.65rem 1rem;
font-size:.95rem;max-width:50rem}
footer{grid-column:1/-1;border-top:1px solid var(--rule);padding-top:1rem;color:var(--quiet);font-size:.88rem}
@media(max-width:60rem){.page{grid-template-columns:minmax(0,1fr);gap:1.5rem;padding:1.4rem 1rem 3rem}
nav>div{position:static;max-height:none}nav ol ol{columns:2;column-gap:1.5rem}
nav{background:var(--paper);border:1px solid var(--rule);border-radius:.7rem;padding:.9rem 1.1rem}
th,td{padding:.4rem .65rem}}
@media(max-width:32rem){.cards{grid-template-columns:1fr 1fr;gap:.6rem}.card{padding:.7rem .8rem}.card .number{font-size:1.35rem}
figure{padding:.8rem .4rem}figcaption{padding:0 .4rem}.wide{display:none}.narrow{display:block}
th:first-child,td:first-child{position:sticky;left:0;background:var(--paper)}h3{margin-top:2rem}}
@media print{body{background:#fff;font-size:10.5pt}.page{display:block;max-width:none;padding:0}nav{display:none}header{margin-bottom:1.5rem}
h2,h3{break-after:avoid}.card,.table,tr{break-inside:avoid}.scroll{overflow:visible}figure pre{max-height:none}
details::details-content{content-visibility:visible;display:block;height:auto}
a{color:inherit;text-decoration:none}}
"""

/** Nothing is loaded from anywhere: the page is to be read years later, from a file. */
export const style = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --dim: #59636e; --line: #d8dee4; --track: #f0f2f5;
  --done: #1a7f37; --failed: #c62828; --undo: #a15c00; --gate: #7a5cc9; --around: #57799c }
@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --ink: #e6e9ed; --dim: #9aa5b1; --line: #343c46;
  --track: #1f252c; --done: #3fb950; --failed: #ff7b72; --undo: #e3a13a; --gate: #b19cf0; --around: #7fa6cf } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.35rem; margin: 0 0 .75rem; line-height: 1.3 }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
.outcome { color: #fff; background: var(--around); border-radius: 1rem; padding: .1rem .7rem; font-size: .85rem;
  white-space: nowrap; vertical-align: middle }
.outcome.done { background: #1a7f37 } .outcome.bad { background: #c62828 } .outcome.undone { background: #8f5200 }
.why { border-left: 4px solid var(--failed); padding: .4rem .8rem; background: var(--track); white-space: pre-wrap }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 1rem 0 }
dt { color: var(--dim) } dd { margin: 0 }
.table { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .9rem; overflow-wrap: normal }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { color: var(--dim); font-weight: 500 } td { min-width: 4.5rem; max-width: 26rem; overflow-wrap: anywhere }
.bar { display: grid; grid-template-columns: 19rem 1fr 8rem; gap: .75rem; align-items: center; padding: .15rem 0;
  font-size: .9rem }
.took { color: var(--dim); font-variant-numeric: tabular-nums }
.track { position: relative; height: .95rem; background: var(--track); border-radius: 3px; overflow: hidden }
.track i { position: absolute; top: 0; bottom: 0; min-width: 2px; background: var(--done) }
.around i { background: var(--around) } .undo i { background: var(--undo) } .failed i { background: var(--failed) }
.cancelled i { opacity: .6 }
.track i.tries { background: repeating-linear-gradient(45deg, var(--failed) 0 4px, transparent 4px 8px) }
.gate i { background: repeating-linear-gradient(90deg, var(--gate) 0 6px, transparent 6px 9px) }
.note { grid-column: 1 / -1; color: var(--dim); font-size: .85rem; margin-top: -.1rem }
.axis .track { background: none; height: 1.2rem; overflow: visible; color: var(--dim); font-size: .75rem }
.axis span { position: absolute; border-left: 1px solid var(--line); padding-left: .2rem; white-space: nowrap }
.key { color: var(--dim); font-size: .85rem }
.key b { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 .8rem; border-radius: 2px }
@media (max-width: 40rem) { .bar { grid-template-columns: 1fr auto; gap: 0 .5rem } .bar .track { grid-column: 1 / -1;
  grid-row: 2 } .axis div:first-child, .axis .took { display: none } .bar .note { grid-row: 3 }
  dl { grid-template-columns: 1fr } dd { margin-bottom: .4rem } td { min-width: 8rem } td:first-child { min-width: 11rem } }
@media print { body { max-width: none } .track, .track i, .outcome { print-color-adjust: exact } }
`

import { columns } from '../view/columns.js'
import { visible } from '../view/visible.js'
import type { Colours } from '../io.js'
import type { Findings } from './findings.js'

/** One line for each finding, and under what is bad how to mend it. */
export function renderFindings(groups: readonly Findings[], colours: Colours): string[] {
  return groups.flatMap(({ target, findings }) => {
    const details = findings.map((it) => it.detail.split('\n').map(visible))
    const lines = columns(findings.map((it, index) => [it.ok ? 'ok ' : 'bad', it.check, details[index]![0]!]))
    return [
      ...(target === null ? [] : [colours.bold(visible(target))]),
      ...findings.flatMap((finding, index) => [
        `  ${finding.ok ? lines[index] : colours.red(lines[index]!)}`,
        ...details[index]!.slice(1).map((line) => `       ${line}`),
        ...(finding.hint ? [`       hint: ${visible(finding.hint)}`] : []),
      ]),
    ]
  })
}

import { columns } from '../view/columns.js'
import { visible } from '../view/visible.js'
import type { Colours } from '../io.js'
import type { Findings } from './findings.js'

/** One line for each finding, and under what is bad how to mend it. */
export function renderFindings(groups: readonly Findings[], colours: Colours): string[] {
  return groups.flatMap(({ target, findings }) => {
    const lines = columns(findings.map((it) => [it.ok ? 'ok ' : 'bad', it.check, visible(it.detail)]))
    return [
      ...(target === null ? [] : [colours.bold(visible(target))]),
      ...findings.flatMap((finding, index) => [
        `  ${finding.ok ? lines[index] : colours.red(lines[index]!)}`,
        ...(finding.hint ? [`       hint: ${visible(finding.hint)}`] : []),
      ]),
    ]
  })
}

import { expect, test } from 'vitest'
import { renderTally } from '../../chaos/tally.js'

test('the table counts each run under each fault that came, and all of them once', () => {
  const table = renderTally([
    { faults: ['SSH cut', 'disk full'], outcome: 'done', state: 'as planned', violations: 0 },
    { faults: ['SSH cut', 'SSH cut'], outcome: 'Undone', state: 'as before', violations: 2 },
    { faults: [], outcome: 'done', state: 'as planned', violations: 0 },
  ])
  expect(table).toBe(
    [
      'fault      runs  Undone  done  violations',
      'SSH cut       2       1     1           2',
      'disk full     1       0     1           0',
      'nothing       1       0     1           0',
      'all           3       1     2           2',
    ].join('\n'),
  )
})

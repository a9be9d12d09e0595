// The reference stack's migrations, in their order. A list, not a pattern of files: an order that one can read.

import { A001Sessions } from './a001-sessions.js'
import { A002Messages } from './a002-messages.js'
import { A003AgentState } from './a003-agent-state.js'
import { A004SchedulerJobs } from './a004-scheduler-jobs.js'
import { A005SchedulerHistory } from './a005-scheduler-history.js'
import { A006PheromoneScores } from './a006-pheromone-scores.js'
import { A007AddEngineFields } from './a007-add-engine-fields.js'
import { A008RemoveOpenclaw } from './a008-remove-openclaw.js'

export const migrations = [
  A001Sessions,
  A002Messages,
  A003AgentState,
  A004SchedulerJobs,
  A005SchedulerHistory,
  A006PheromoneScores,
  A007AddEngineFields,
  A008RemoveOpenclaw,
] as const

// The command line as a function: arguments in, exit code out.

import { Command, CommanderError } from 'commander'
import { addApprove } from './approve.js'
import { type Cli, addGlobals } from './cli.js'
import { addDeploy } from './deploy.js'
import { addDoctor } from './doctor.js'
import { addEmergency } from './emergency.js'
import { exitCodeOfError } from './exit-code.js'
import { addGuard } from './guard.js'
import { addHistory } from './history.js'
import { addInit } from './init.js'
import type { Io } from './io.js'
import { addMemories } from './memories.js'
import { addMigrations } from './migrations.js'
import { ownPackage } from './package.js'
import { addReport } from './report.js'
import { addReject } from './reject.js'
import { addResolve } from './resolve.js'
import { addRestorePoints } from './restore-points.js'
import { addRollback } from './rollback.js'
import { addSandbox } from './sandbox.js'
import { addSchedules } from './schedules.js'
import { addStatus } from './status.js'
import { visibleLines } from './view/visible.js'
import { addWatch } from './watch.js'
import { addWorker } from './worker.js'

const commands = [
  addInit,
  addWorker,
  addDoctor,
  addDeploy,
  addRollback,
  addEmergency,
  addApprove,
  addReject,
  addResolve,
  addWatch,
  addStatus,
  addHistory,
  addReport,
  addGuard,
  addMigrations,
  addRestorePoints,
  addMemories,
  addSchedules,
  addSandbox,
]

export async function runCommandLine(argv: readonly string[], io: Io): Promise<number> {
  let exitCode = 0
  const program = buildProgram(io, (code) => (exitCode = code))
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    report(error, io)
    return exitCodeOfError(error)
  }
}

/** The commands with their options; `exit` is told the code of the one that ran. */
export function buildProgram(io: Io, exit: Cli['exit']): Command {
  const program = new Command('stepback')
    .description('Durable deploys, and durable ways back, for Docker Compose stacks on SSH hosts')
    .version(ownPackage().version)
    .enablePositionalOptions() // else the program's own --version would take a deploy's
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.print(text.trimEnd()), writeErr: (text) => io.say(text.trimEnd()) })
  addGlobals(program)
  for (const add of commands) add({ program, io, exit })
  return program.addHelpText('after', exitCodesHelp)
}

const exitCodesHelp = `
Exit status: 0 done; 1 unexpected; 2 usage or configuration; 3 refused, rejected, not approved, or cancelled before a
change; 4 failed and undone; 5 failed and not undone, or fenced; 6 left while it goes on.`

/** Commander has said its own errors already. */
function report(error: unknown, io: Io): void {
  if (error instanceof CommanderError) return
  const message = error instanceof Error ? error.message : String(error)
  io.say(`${io.colours.red('error:')} ${visibleLines(message)}`)
}

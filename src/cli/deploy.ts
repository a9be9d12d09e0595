import { resolve } from 'node:path'
import type { DeployInput } from '../client.js'
import { parseDeployRequest } from '../config/request.js'
import { type Cli, addCommand, globalsOf } from './cli.js'
import { withSession } from './configuration.js'
import { followRun } from './follow-run.js'
import { addRunOptions, wholeNumber } from './options.js'
import { person } from './person.js'

type DeployOptions = Omit<DeployInput, 'target'> & { readonly wait: boolean }

export function addDeploy({ program, io, exit }: Cli): void {
  const command = addCommand(program, {
    name: 'deploy <target>',
    does: 'starts a deploy and follows it',
    example: 'stepback deploy aria --version 2.1.0 --release ./releases/2.1.0 --reason "engine fields"',
  })
  addRunOptions(command)
    .requiredOption('--version <version>', 'the version that this brings')
    .option('--release <directory>', 'files that replace those of the same name in the project directory')
    .option('--migrate-to <revision>', 'a revision, "head" or "none" (default: what the release says, else head)')
    .option('--hotfix', 'skip checks, proof and gate, never the restore point; needs a reason')
    .option('--redeploy', 'deploy the version that runs once more')
    .option('--may-lose-rows <rows>', 'rows that undoing this deploy may lose by itself', wholeNumber)
    .action(async (target: string, options: DeployOptions) => {
      const { wait, json = false, ...request } = { ...options, ...globalsOf(command) }
      const input = deployInput(target, request)
      exit(
        await withSession({ ...globalsOf(command), json }, io, async (session) => {
          const run = await session.client.startDeploy(input)
          return await followRun({ io, session, run, wait, json, dryRun: input.dryRun === true })
        }),
      )
    })
}

/** The request as it was asked for; `InvalidRequest` before anything is started. */
export function deployInput(
  target: string,
  options: Omit<DeployInput, 'target'> & { readonly config?: string },
): DeployInput {
  const { config: _config, ...asked } = options
  const release = asked.release === undefined ? {} : { release: resolve(asked.release) }
  const input = { target, ...asked, ...release, requestedBy: asked.requestedBy ?? person() }
  parseDeployRequest(input)
  return input
}

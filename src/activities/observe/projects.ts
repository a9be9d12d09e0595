// Which Compose projects are on a host, by the labels of their containers.

import { tryPlain } from '../../adapters/host/plain.js'
import type { SshConnection } from '../../adapters/ssh.js'
import { everyContainer } from '../../commands/observe.js'
import { pathKinds } from '../../commands/project.js'
import { StepbackError } from '../../plan/failure.js'
import type { Labelled } from '../../plan/identity.js'
import { listedOf } from './containers.js'

export interface ProjectFiles {
  readonly project: string
  readonly directory: string
  /** Below the directory, as is the environment file. */
  readonly composeFiles: readonly string[]
  readonly envFile: string
}

/** One container of each project, by the names of the projects. */
export async function listProjects(ssh: SshConnection): Promise<ReadonlyMap<string, Labelled>> {
  const { exitCode, stdout, stderr } = await tryPlain(ssh, everyContainer)
  if (exitCode !== 0) {
    throw new StepbackError({
      type: 'Refused',
      message: `Docker does not answer on '${ssh.where}': ${stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? ''}`,
      hint: 'start Docker on the host, and let the SSH user use it, as a member of the group docker does.',
    })
  }
  const made = listedOf(stdout).filter((it) => it.madeBy !== null)
  return new Map(made.map((it) => [it.project, it]))
}

/** `Refused` for a stack that stepback cannot name: every file has to lie in the project directory. */
export async function filesOf(ssh: SshConnection, labelled: Labelled): Promise<ProjectFiles> {
  const { project, directory } = labelled
  const composeFiles = await splitFiles(ssh, labelled.composeFiles)
  const envFile = labelled.envFile === '' ? `${directory}/.env` : labelled.envFile
  const outside = [...composeFiles, envFile].find((path) => !path.startsWith(`${directory}/`))
  if (outside !== undefined) {
    throw new StepbackError({
      type: 'Refused',
      message: `project "${project}" was started in "${directory}" with "${outside}", which lies outside of it`,
      hint: 'start it with one environment file, and with compose files of its own directory (--project-directory), then try again.',
    })
  }
  const inside = (path: string) => path.slice(directory.length + 1)
  return { project, directory, composeFiles: composeFiles.map(inside), envFile: inside(envFile) }
}

/** The label has commas between paths, which may hold commas themselves: whatever is a file is one. */
async function splitFiles(ssh: SshConnection, label: string): Promise<string[]> {
  const words = label.split(',')
  const spans = words.flatMap((_, from) => words.slice(from).map((_word, length) => ({ from, to: from + length + 1 })))
  const paths = spans.map(({ from, to }) => words.slice(from, to).join(','))
  const { stdout } = await tryPlain(ssh, pathKinds(paths))
  const kinds = stdout.split('\n')
  const found: string[] = []
  for (let at = 0; at < words.length;) {
    const index = spans.findIndex(({ from }, span) => from === at && kinds[span] === 'file')
    found.push(index < 0 ? words[at]! : paths[index]!)
    at = index < 0 ? at + 1 : spans[index]!.to
  }
  return found
}

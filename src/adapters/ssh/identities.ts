// What a connection authenticates with: key files in their order, then the agent.
import { existsSync, readFileSync } from 'node:fs'
import ssh2 from 'ssh2'
import type { AnyAuthMethod, ParsedKey } from 'ssh2'
import { StepbackError } from '../../plan/failure.js'
import { ChosenAgent } from './agent.js'
import { where } from './hop.js'
import type { HopOptions } from './hop.js'

interface Identity {
  readonly file: string
  /** The public half, by which an agent's key is known; of a key that cannot be opened only where `<file>.pub` is. */
  readonly publicKey: Buffer | undefined
  readonly privateKey: ParsedKey | undefined
  readonly problem: Problem | undefined
}

interface Problem {
  readonly message: string
  readonly hint: string
  /** Whether an agent may hold the key all the same. */
  readonly agentMayHelp: boolean
}

export interface Authentication {
  readonly methods: readonly AnyAuthMethod[]
  /** Keys that are left out, and why, should the others not be let in. */
  readonly leftOut: readonly string[]
}

/** `InvalidConfiguration` where nothing is left to try, and for the first key that was named and cannot be used. */
export function authentication(options: HopOptions): Authentication {
  const { agentSocket, identityFile } = options
  const files = identityFile ? [identityFile] : (options.identityFiles ?? []).filter((file) => existsSync(file))
  const identities = files.map((file) => identityOf(file, options))
  const problems = identities.flatMap(({ problem }) => problem ?? [])
  const keys = identities.flatMap(({ privateKey }) => privateKey ?? [])
  const [problem] = problems
  if (keys.length === 0 && problem && !(agentSocket && problems.every((it) => it.agentMayHelp))) {
    throw unusable(options, problem)
  }
  const asksAgent = agentSocket && !(identityFile && keys.length > 0)
  if (keys.length === 0 && !asksAgent) throw unusable(options, nothingToTry(options))
  const username = options.user
  const wanted = identities.flatMap(({ publicKey }) => publicKey ?? [])
  const only = identityFile !== undefined || options.identitiesOnly === true
  const agent = asksAgent ? [new ChosenAgent({ socket: agentSocket, wanted, only })] : []
  return {
    methods: [
      ...keys.map((key) => ({ type: 'publickey' as const, username, key })),
      ...agent.map((it) => ({ type: 'agent' as const, username, agent: it })),
    ],
    leftOut: problems.map(({ message }) => message),
  }
}

function identityOf(file: string, options: HopOptions): Identity {
  let data: Buffer
  try {
    data = readFileSync(file)
  } catch (cause) {
    const message = `the key '${file}' cannot be read: ${(cause as Error).message}`
    const problem = { message, hint: `ls -l '${file}'`, agentMayHelp: false }
    return { file, publicKey: undefined, privateKey: undefined, problem }
  }
  const passphrase = options.passphrase && process.env[options.passphrase.env]
  const bare = parsed(data)
  const key = bare instanceof Error && passphrase ? parsed(data, passphrase) : bare
  if (key instanceof Error) {
    const problem = problemOf({ file, error: bare as Error, variable: options.passphrase?.env, passphrase })
    return { file, publicKey: publicHalf(file), privateKey: undefined, problem }
  }
  const privateKey = key.isPrivateKey() ? key : undefined
  return { file, publicKey: key.getPublicSSH(), privateKey, problem: undefined }
}

function problemOf(input: {
  file: string
  error: Error
  variable: string | undefined
  passphrase: string | undefined
}): Problem {
  const { file, error, variable, passphrase } = input
  // ssh2 tells it only by words; they choose between two sentences here, and decide nothing.
  if (!/encrypted/i.test(error.message)) {
    const hint = `does 'ssh-keygen -y -f ${file}' read it? One on a security key can be used through an agent`
    return { message: `the key '${file}' cannot be used: ${error.message}`, hint, agentMayHelp: true }
  }
  if (variable === undefined) {
    const hint = `name a variable that holds it in ssh.passphrase: { env: NAME }, or load the key: ssh-add '${file}'`
    return { message: `the key '${file}' has a passphrase, and none is configured`, hint, agentMayHelp: true }
  }
  const hint = `set ${variable} in the environment of the worker`
  return passphrase
    ? {
        message: `the passphrase in the variable ${variable} does not open the key '${file}'`,
        hint,
        agentMayHelp: false,
      }
    : {
        message: `the variable ${variable} with the passphrase of the key '${file}' is not set`,
        hint,
        agentMayHelp: false,
      }
}

function parsed(data: Buffer, passphrase?: string): ParsedKey | Error {
  // OpenSSH's format comes as a list of keys, whatever the types say.
  const keys = ssh2.utils.parseKey(data, passphrase) as ParsedKey | Error | readonly ParsedKey[]
  return Array.isArray(keys) ? (keys as readonly ParsedKey[])[0]! : (keys as ParsedKey | Error)
}

function publicHalf(file: string): Buffer | undefined {
  if (!existsSync(`${file}.pub`)) return undefined
  const key = parsed(readFileSync(`${file}.pub`))
  return key instanceof Error ? undefined : key.getPublicSSH()
}

function nothingToTry(options: HopOptions): Problem {
  const files = options.identityFiles ?? []
  const looked = files.length > 0 ? `none of ${files.map((file) => `'${file}'`).join(', ')} is there` : 'none is named'
  const hint =
    'name one in ssh.identityFile or in your SSH configuration, or start an agent: eval "$(ssh-agent)"; ssh-add'
  return { message: `no key to log in with: ${looked}, and there is no agent`, hint, agentMayHelp: false }
}

function unusable(options: HopOptions, { message, hint }: Problem): StepbackError {
  return new StepbackError({ type: 'InvalidConfiguration', message: `${message} (for '${where(options)}')`, hint })
}

// What goes through one channel: a command's output and exit, a file's way.
import { createReadStream } from 'node:fs'
import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ClientChannel, SFTPWrapper } from 'ssh2'
import { StepbackError } from '../../plan/failure.js'

export interface ExecResult {
  readonly exitCode: number | null
  readonly signal: string | undefined
  readonly stdout: Buffer
  readonly stderr: Buffer
}

/** Reads all of a command; one that ends without an exit status is `Unreachable`, never exit 0. */
export function collect(stream: ClientChannel, stdin: string | Buffer | undefined): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    let exit: { code: number | null; signal: string | undefined } | undefined
    stream.on('data', (chunk: Buffer) => stdout.push(chunk))
    stream.stderr.on('data', (chunk: Buffer) => stderr.push(chunk)) // unread, it would fill the window and hang
    stream.on('exit', (code: number | null, signal?: string) => (exit = { code, signal: signal || undefined }))
    // The command may end without reading all of its input; its exit says what that means.
    stream.on('error', () => undefined)
    stream.once('close', () => {
      if (exit) {
        const [out, err] = [Buffer.concat(stdout), Buffer.concat(stderr)]
        resolve({ exitCode: exit.code, signal: exit.signal, stdout: out, stderr: err })
      } else {
        const message = 'a command on the host ended without an exit status'
        reject(new StepbackError({ type: 'Unreachable', message, hint: 'its outcome is unknown; look at the host' }))
      }
    })
    stream.end(stdin ?? '')
  })
}

/** Streams a local file into a remote one, and makes the directories above it. */
export async function send(
  sftp: SFTPWrapper,
  input: { readonly remotePath: string; readonly mode: number } & Uploaded,
): Promise<void> {
  await makeDirectories(sftp, posix.dirname(input.remotePath))
  const target = sftp.createWriteStream(input.remotePath, { mode: input.mode })
  try {
    await pipeline('content' in input ? input.content : createReadStream(input.localPath), target)
  } catch (error) {
    // A half of a file on a full disk would leave no room for anything. A number is the server's own answer: it is there.
    if (typeof (error as { code?: unknown }).code === 'number')
      await new Promise((resolve) => sftp.unlink(input.remotePath, resolve))
    throw error
  }
  // The server's umask had its say at creation.
  await new Promise<void>((resolve, reject) =>
    sftp.chmod(input.remotePath, input.mode, (error) => (error ? reject(error) : resolve())),
  )
}

/** A file of this machine, or what somebody writes meanwhile. */
export type Uploaded = { readonly localPath: string } | { readonly content: Readable }

async function makeDirectories(sftp: SFTPWrapper, directory: string): Promise<void> {
  if (await new Promise((resolve) => sftp.stat(directory, (error) => resolve(!error)))) return
  const parent = posix.dirname(directory)
  if (parent !== directory) await makeDirectories(sftp, parent)
  await new Promise<void>((resolve, reject) =>
    sftp.mkdir(directory, { mode: 0o700 }, (error) => {
      if (!error) return resolve()
      // Another upload may have made it in between.
      sftp.stat(directory, (missing) => (missing ? reject(error) : resolve()))
    }),
  )
}

// A login that is not root's, on a server of its own: a new user where the suite runs as root, else the suite's own.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { userInfo } from 'node:os'
import { SshConnection } from '../../src/adapters/ssh.js'
import { find, startSshd } from './sshd.js'

export interface Login {
  /** A directory of the user's own. */
  readonly home: string
  readonly uid: number
  readonly gid: number
  connect(): Promise<SshConnection>
  stop(): Promise<void>
}

/** The login shell, and a group beside the user's own; where no user is made, the suite's own has what it has. */
export async function startLogin(input: { readonly shell: string; readonly group?: number }): Promise<Login> {
  const sshd = await startSshd()
  const user = userInfo().uid === 0 ? makeUser(input) : undefined
  const { uid, gid } = user ?? userInfo()
  const home = join(sshd.directory, 'home')
  chmodSync(sshd.directory, 0o711)
  mkdirSync(home, { mode: 0o700 })
  chownSync(home, uid, gid)
  // sshd reads it as the user who logs in.
  chmodSync(join(sshd.directory, 'authorized_keys'), 0o644)
  const opened: SshConnection[] = []
  return {
    home,
    uid,
    gid,
    connect: async () => {
      const connection = await SshConnection.open({ ...sshd.options, ...(user ? { user: user.name } : {}) })
      opened.push(connection)
      return connection
    },
    stop: async () => {
      await Promise.all(opened.map((connection) => connection.close()))
      await sshd.stop()
      // By force, since a session's last process may still be ending.
      if (user) execFileSync(find('userdel', 'passwd'), ['--force', user.name], { stdio: 'ignore' })
    },
  }
}

function makeUser({ shell, group }: { shell: string; group?: number }): { name: string; uid: number; gid: number } {
  const name = `stepback-${randomBytes(4).toString('hex')}`
  // A password that nobody has; a locked account may not log in with its key either.
  const words = ['--no-create-home', '--home-dir', '/', '--user-group', '--password', '*', '--shell', shell, name]
  if (group !== undefined) words.unshift('--groups', String(group))
  execFileSync(find('useradd', 'passwd'), words, { stdio: 'ignore' })
  const idOf = (option: string) => Number(execFileSync('id', [option, name]))
  return { name, uid: idOf('-u'), gid: idOf('-g') }
}

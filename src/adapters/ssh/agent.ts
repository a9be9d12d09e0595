// An SSH agent of which only some keys are used, or those first: sshd ends a login after a few keys that it does not
// know, and agents hold many.
// The default export, here and elsewhere: of this CommonJS module Node finds only a few names by itself.
import ssh2 from 'ssh2'
import type { IdentityCallback, ParsedKey } from 'ssh2'

export class ChosenAgent extends ssh2.OpenSSHAgent {
  readonly #wanted: readonly Buffer[]
  readonly #only: boolean

  /** `wanted` are public keys; without any, or without `only`, the agent's other keys are tried, too. */
  constructor(input: { readonly socket: string; readonly wanted: readonly Buffer[]; readonly only: boolean }) {
    super(input.socket)
    this.#wanted = input.wanted
    this.#only = input.only && input.wanted.length > 0
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    super.getIdentities((error, keys) => {
      if (error || !keys) return callback(error, keys)
      // An agent of OpenSSH answers with parsed keys, whatever else the type allows.
      const held = keys as ParsedKey[]
      const isWanted = (key: ParsedKey) => this.#wanted.some((it) => it.equals(key.getPublicSSH()))
      const others = this.#only ? [] : held.filter((key) => !isWanted(key))
      callback(undefined, [...held.filter(isWanted), ...others])
    })
  }
}

// Every act on the journal is one transaction whose first statement is a conditional update of the target's row: no
// decision rests on a bare read, since a COMMIT whose answer was lost may still be running, and whoever holds the row
// makes the others wait and then see.

import { StepbackError } from '../../../plan/failure.js'
import type { Door, Mine } from '../operation.js'
import type { Session } from '../session.js'

/** The condition of an act that only the holder of the token may do. */
export const sameToken = 'update stepback.door set token = token where target = $1 and token = $2'

export class Acts {
  protected constructor(protected readonly session: Session) {}

  /** First act of a token. `Fenced` where a later one is in force. Then end the sessions of the older ones. */
  async raiseFence({ target, token }: Mine): Promise<void> {
    const raised = await this.session.query(
      `insert into stepback.door as d (target, token) values ($1, $2)
       on conflict (target) do update set token = excluded.token where d.token <= excluded.token returning token`,
      [target, token],
    )
    if (raised.length === 0) throw await this.fenced({ target, token })
  }

  /** Throws `Fenced` unless this token is in force. Waits for an act that is under way. */
  async checkFence(mine: Mine): Promise<Door> {
    const door = await this.update(mine, sameToken, [])
    if (door) return door
    throw await this.fenced(mine)
  }

  protected async act<T>(
    mine: Mine,
    update: string,
    more: readonly unknown[],
    work: (door: Door) => Promise<T>,
  ): Promise<T> {
    const result = await this.guarded(mine, update, more, work)
    if (result) return result.value
    throw await this.fenced(mine)
  }

  protected async attempt(
    mine: Mine,
    update: string,
    more: readonly unknown[],
    work: () => Promise<void>,
  ): Promise<boolean> {
    try {
      if (await this.guarded(mine, update, more, work)) return true
    } catch (error) {
      if (!(error instanceof NotNow)) throw error
    }
    // Nothing happened: fenced, or told apart by whoever learns next.
    await this.checkFence(mine)
    return false
  }

  private guarded<T>(
    mine: Mine,
    update: string,
    more: readonly unknown[],
    work: (door: Door) => Promise<T>,
  ): Promise<{ readonly value: T } | undefined> {
    return this.session.transaction(async () => {
      const door = await this.update(mine, update, more)
      return door && { value: await work(door) }
    })
  }

  /** The row behind an update of it; undefined where its condition does not hold. */
  private async update(mine: Mine, update: string, more: readonly unknown[]): Promise<Door | undefined> {
    const [row] = await this.session.query<{ token: string; state: Door['state']; closing: string }>(
      `${update} returning token, state, closing`,
      [mine.target, mine.token, ...more],
    )
    return row && { token: Number(row.token), state: row.state, closing: Number(row.closing) }
  }

  private async fenced({ target, token }: Mine): Promise<StepbackError> {
    const rows = await this.session.query<{ token: string }>('select token from stepback.door where target = $1', [
      target,
    ])
    const found = rows[0]?.token ?? 'none'
    return new StepbackError({
      type: 'Fenced',
      message: `token ${token} is not in force in the journal of target "${target}": it has ${found}`,
      details: { token, found },
    })
  }
}

/** Rolls an act back without an error for its caller. */
export class NotNow extends Error {}

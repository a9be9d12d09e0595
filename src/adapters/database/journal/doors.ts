// The door of the live database, and the only place where names change.

import pg from 'pg'
import { changed, isOpenFor, sides, type Direction, type Door, type Mine, type Operation } from '../operation.js'
import { Acts, NotNow, sameToken } from './acts.js'

export class Doors extends Acts {
  /**
   * The operation, made where it is missing, with the oids behind its names at that moment. Not yet swapped, it takes
   * the database that is built by now: whoever pays a debt builds anew what a fenced run had built.
   */
  async openOperation(
    input: Mine & {
      readonly id: string
      readonly liveName: string
      readonly newName: string
      readonly beforeName: string
      /** The restore point that the new database is made from. */
      readonly source: string
    },
  ): Promise<Operation> {
    const values = [input.target, input.id, input.liveName, input.newName, input.beforeName, input.source]
    return this.act(input, sameToken, [], async () => {
      await this.session.query(
        `insert into stepback.operation (target, id, live_name, new_name, before_name, source, live_oid, new_oid)
         select $1, $2, $3::text, $4::text, $5, $6, l.oid, n.oid from pg_database l, pg_database n
         where l.datname = $3::text and n.datname = $4::text
         on conflict (target, id) do update set new_name = excluded.new_name, new_oid = excluded.new_oid
           where operation.state = 'planned' and not operation.sealed and operation.live_oid = excluded.live_oid`,
        values,
      )
      const operation = await this.readOperation(input)
      if (operation) return operation
      throw changed(`no database "${input.liveName}" or no database "${input.newName}" is there`)
    })
  }

  /** Where an operation stands, for certain. */
  async learn(
    input: Mine & { readonly id: string },
  ): Promise<{ readonly door: Door; readonly operation: Operation | undefined }> {
    return this.act(input, sameToken, [], async (door) => ({
      door,
      operation: await this.readOperation(input),
    }))
  }

  /** Forbids the do for ever: the first act of its undo, so that no ghost of it closes and swaps again. */
  async seal(input: Mine & { readonly id: string }): Promise<Operation | undefined> {
    return this.act(input, sameToken, [], async () => {
      await this.session.query('update stepback.operation set sealed = true where target = $1 and id = $2', [
        input.target,
        input.id,
      ])
      return this.readOperation(input)
    })
  }

  /**
   * Closes the database behind the live name to new connections, as closing number `closing`, for which a timer is
   * armed. False where another has closed since, or the operation is over: learn, and take a new number.
   */
  async close(
    input: Mine & { readonly id: string; readonly direction: Direction; readonly closing: number },
  ): Promise<boolean> {
    const update = `update stepback.door set state = 'closed', closing = $3::bigint, closed_at = now(), closed_oid = null
      where target = $1 and token = $2 and closing = $3::bigint - 1 and (state = 'open' or closed_oid in (
        select unnest(array[o.live_oid, o.new_oid]) from stepback.operation o where o.target = $1 and o.id = $4))`
    return this.attempt(input, update, [input.closing, input.id], async () => {
      const operation = await this.readOperation(input)
      if (!operation || !isOpenFor(operation, input.direction)) throw new NotNow()
      const { from } = sides(operation, input.direction)
      await this.expect(operation.liveName, from.oid)
      await this.session.query('update stepback.door set closed_oid = $2 where target = $1', [input.target, from.oid])
      await this.session.query(`alter database ${pg.escapeIdentifier(operation.liveName)} allow_connections false`)
    })
  }

  /** All writes to a database so far. A backend adds its own before it leaves. */
  async count(oid: number): Promise<string> {
    const rows = await this.session.query<{ count: string }>(
      `select pg_stat_clear_snapshot(), (tup_inserted + tup_updated + tup_deleted)::text as count
       from pg_stat_database where datid = $1`,
      [oid],
    )
    return rows[0]?.count ?? 'none'
  }

  /**
   * The renames, in one transaction with the journal. The count is compared after them: a rename refuses while anyone
   * is connected, one inside its start too, so from then on nobody can write. False where the closing is over, the
   * operation is, or something was written: nothing was changed then. `Busy` where somebody is connected.
   */
  async swap(
    input: Mine & {
      readonly id: string
      readonly direction: Direction
      readonly closing: number
      readonly count: string
    },
  ): Promise<boolean> {
    const update = `update stepback.door set state = 'open', opened_by = 'swap', opened_at = now()
      where target = $1 and token = $2 and state = 'closed' and closing = $3`
    return this.attempt(input, update, [input.closing], async () => {
      const operation = await this.readOperation(input)
      if (!operation || !isOpenFor(operation, input.direction)) throw new NotNow()
      const { from, to } = sides(operation, input.direction)
      await this.expect(operation.liveName, from.oid)
      await this.expect(to.name, to.oid)
      await this.record(input)
      await this.rename(operation.liveName, from.keptAs)
      await this.rename(to.name, operation.liveName)
      if ((await this.count(from.oid)) !== input.count) throw new NotNow()
      await this.session.query(`alter database ${pg.escapeIdentifier(operation.liveName)} allow_connections true`)
    })
  }

  /** Opens what this closing closed; false where it is over already. */
  async reopen(input: Mine & { readonly closing: number }): Promise<boolean> {
    const update = `update stepback.door set state = 'open', opened_by = 'holder', opened_at = now()
      where target = $1 and token = $2 and state = 'closed' and closing = $3`
    return this.attempt(input, update, [input.closing], () => this.open(input.target))
  }

  /** Opens what is found closed, by a number of its own, so that whoever closed it cannot go on. */
  async mend(input: Mine): Promise<boolean> {
    const update = `update stepback.door set state = 'open', closing = closing + 1, opened_by = 'mend', opened_at = now()
      where target = $1 and token = $2 and state = 'closed'`
    return this.attempt(input, update, [], () => this.open(input.target))
  }

  /** Lets sessions into a database beside the live one, or no longer. */
  async admit(input: Mine & { readonly name: string; readonly oid: number; readonly open: boolean }): Promise<void> {
    const { name, oid, open } = input
    await this.act(input, sameToken, [], async () => {
      await this.expect(name, oid)
      await this.session.query(`alter database ${pg.escapeIdentifier(name)} allow_connections ${open}`)
    })
  }

  private async readOperation(input: { readonly target: string; readonly id: string }): Promise<Operation | undefined> {
    const rows = await this.session.query<Operation>(
      `select id, state, sealed, live_name as "liveName", new_name as "newName", before_name as "beforeName",
       live_oid as "liveOid", new_oid as "newOid" from stepback.operation where target = $1 and id = $2 for update`,
      [input.target, input.id],
    )
    return rows[0]
  }

  private async record(input: Mine & { readonly id: string; readonly direction: Direction }): Promise<void> {
    const there = `state = 'swapped', swapped_at = now(), snapshot = pg_current_snapshot()::text`
    const set = input.direction === 'there' ? there : `state = 'reverted', reverted_at = now()`
    await this.session.query(`update stepback.operation set ${set} where target = $1 and id = $2`, [
      input.target,
      input.id,
    ])
  }

  private async expect(name: string, oid: number): Promise<void> {
    const rows = await this.session.query<{ oid: number }>('select oid from pg_database where datname = $1', [name])
    if (rows[0]?.oid === oid) return
    throw changed(`database "${name}" should have oid ${oid} and has ${rows[0]?.oid ?? 'none: it is not there'}`)
  }

  private async rename(from: string, to: string): Promise<void> {
    await this.session.query(`alter database ${pg.escapeIdentifier(from)} rename to ${pg.escapeIdentifier(to)}`)
  }

  private async open(target: string): Promise<void> {
    const rows = await this.session.query<{ datname: string }>(
      'select d.datname from stepback.door o join pg_database d on d.oid = o.closed_oid where o.target = $1',
      [target],
    )
    for (const { datname } of rows) {
      await this.session.query(`alter database ${pg.escapeIdentifier(datname)} allow_connections true`)
    }
  }
}

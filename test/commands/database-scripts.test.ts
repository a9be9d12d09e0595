import { describe, expect, it } from 'vitest'
import {
  beforeName,
  createJournal,
  dropDatabase,
  isBesideName,
  newName,
  restoreInto,
  sessionName,
  sessionPrefix,
  takeDump,
  timerScript,
  warmName,
} from '../../src/commands/database.js'
import { identifier, literal } from '../../src/commands/database/sql.js'
import { propertiesSql } from '../../src/commands/database/properties.js'
import type { DatabaseProperties } from '../../src/plan/manifest.js'

const access = { exec: ['docker', 'exec', '-i', '-e', "PGAPPNAME=it's", 'db 1'], psqlUser: 'aria' }
const psql = `docker exec -i -e 'PGAPPNAME=it'\\''s' 'db 1' psql -X -q -A -t -w -v ON_ERROR_STOP=1 -U aria -d`
const properties: DatabaseProperties = {
  owner: 'aria',
  encoding: 'UTF8',
  collate: 'C',
  ctype: 'C',
  localeProvider: 'c',
  locale: null,
  icuRules: null,
  connectionLimit: -1,
  acl: [{ grantee: '', privilege: 'CONNECT', grantable: false }],
  settings: ['search_path="$user", public, "a, b"', 'timezone=UTC', "app.note=it's \\", 'temp_tablespaces=""'],
  roleSettings: [{ role: 'reader', settings: ['work_mem=8MB'] }],
  comment: null,
}

describe('a script', () => {
  it('drops exactly the databases that are named', () => {
    const { script, ending } = dropDatabase({
      ...access,
      databases: ['grün "x"__new_3fa94c21'],
      applicationName: "it's",
    })
    expect(script).toBe(
      `set -eu\n${psql} postgres <<'STEPBACK_SQL'\nset client_min_messages to warning;\n` +
        `drop database if exists "grün ""x""__new_3fa94c21" with (force);\nSTEPBACK_SQL\n`,
    )
    expect(ending).toBe(
      `set -eu\nleft=$(${psql} postgres <<'STEPBACK_SQL'\n` +
        `select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'it''s' and pid <> pg_backend_pid();\n` +
        `STEPBACK_SQL\n)\n[ "$left" = 0 ]\n`,
    )
  })

  it('takes a dump', () => {
    const input = {
      ...access,
      database: 'a=b',
      outFile: "/b/db it's.dump",
      factsFile: '/b/facts',
      applicationName: 'x',
    }
    expect(takeDump({ ...input, format: 'dump' }).script).toMatchSnapshot()
    expect(takeDump({ ...input, format: 'sql' }).script).toContain(
      `pg_dump -w -U aria -Fp --lock-wait-timeout=5s -d 'dbname='\\''a=b'\\''' --snapshot="$snapshot" < /dev/null > "$out.part" 2> "$work/said" 3>&- &`,
    )
  })

  it('restores, and never names the live database', () => {
    const script = restoreInto({
      ...access,
      newDatabase: 'aria_blue__warm_3fa94c21',
      dumpFile: '/b/db.dump',
      format: 'dump',
      properties,
      applicationName: 'x',
    }).script
    expect(script).toMatchSnapshot()
    expect(script).not.toMatch(/aria_blue(?!__warm_3fa94c21)/)
  })

  it('makes the journal and arms a timer', () => {
    expect(createJournal(access)).toMatchSnapshot()
    expect(timerScript({ ...access, target: "it's", token: 3, closing: 7 })).toMatchSnapshot()
    expect(() => timerScript({ ...access, target: 'x', token: 3, closing: 1.5 })).toThrow(TypeError)
  })

  it('puts settings back as they were kept, lists element by element', () => {
    expect(propertiesSql({ name: 'x"y', properties })).toBe(
      [
        'alter database "x""y" owner to "aria";',
        'alter database "x""y" connection limit -1;',
        'revoke all on database "x""y" from public, "aria";',
        'grant CONNECT on database "x""y" to public;',
        'alter database "x""y" reset all;',
        `alter database "x""y" set "search_path" to '$user', 'public', 'a, b';`,
        `alter database "x""y" set "timezone" to 'UTC';`,
        `alter database "x""y" set "app"."note" to E'it''s \\\\';`,
        `alter database "x""y" set "temp_tablespaces" to '';`,
        `alter role "reader" in database "x""y" set "work_mem" to '8MB';`,
        'comment on database "x""y" is null;',
      ].join('\n'),
    )
  })

  it('quotes names and texts whatever is in them', () => {
    expect(identifier('a"b\n\'é')).toBe('"a""b\n\'é"')
    expect(literal("it's")).toBe("'it''s'")
    expect(literal("\\'")).toBe("E'\\\\'''")
    expect(() => identifier('a\0')).toThrow(TypeError)
    expect(() => literal('a\0')).toThrow(TypeError)
  })
})

describe('the name of a database beside the live one', () => {
  it('says whose, which kind and which run', () => {
    expect(newName({ database: 'aria', run8: '3fa94c21' })).toBe('aria__new_3fa94c21')
    expect(warmName({ database: 'aria', run8: '3fa94c21' })).toBe('aria__warm_3fa94c21')
    expect(beforeName({ database: 'aria', run8: '3fa94c21' })).toBe('aria__before_3fa94c21')
    expect(() => newName({ database: 'aria', run8: '3FA94C2' })).toThrow(TypeError)
  })

  it('stays within 63 bytes, whole characters, and apart from others', () => {
    const long = 'ä'.repeat(31)
    const name = beforeName({ database: long, run8: '3fa94c21' })
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
    expect(name).toMatch(/^ä+__before_3fa94c21_[0-9a-f]{6}$/)
    expect(name).not.toBe(beforeName({ database: `${long}x`, run8: '3fa94c21' }))
    expect(isBesideName({ database: long, name })).toBe(true)
    expect(isBesideName({ database: `${long}x`, name })).toBe(false)
  })

  it('is known again, and no other is', () => {
    expect(isBesideName({ database: 'aria', name: 'aria__new_3fa94c21' })).toBe(true)
    for (const name of [
      'aria',
      'aria__new_3fa94c2',
      'aria2__new_3fa94c21',
      'aria__old_3fa94c21',
      'aria__new_3fa94c21_abcdef',
    ]) {
      expect(isBesideName({ database: 'aria', name })).toBe(false)
    }
  })
})

describe('the name of a session', () => {
  it('keeps the token readable, however long the rest is', () => {
    expect(sessionName({ target: 'aria', token: 41, what: 'dump' })).toBe('stepback:aria:41:dump')
    const target = 'a-very-long-name-of-a-target-indeed'
    const name = sessionName({ target, token: 41, what: 'x'.repeat(80) })
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
    expect(name.startsWith(`${sessionPrefix({ target })}41:`)).toBe(true)
  })
})

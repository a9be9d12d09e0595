// Rows for the ground: conversations as they are, words that come again, most of them often and many seldom.

import type { BarePostgres } from './bare.js'

/** Adds messages until there are so many; indexes are made behind the rows, which is several times faster. */
export async function fillMessages(postgres: BarePostgres, wanted: number): Promise<void> {
  const missing = wanted - Number(await postgres.sql('select count(*) from messages;'))
  if (missing <= 0) return
  const indexes = await postgres.sql(
    `select indexdef || ';' from pg_indexes where schemaname = 'public' and tablename = 'messages' and indexname ~ '^ix_';`,
  )
  await postgres.sql(`select format('drop index %I', indexname) from pg_indexes
    where schemaname = 'public' and tablename = 'messages' and indexname ~ '^ix_' \\gexec`)
  const half = Math.ceil(missing / 2)
  await postgres.together([insert(half), insert(missing - half)])
  await postgres.sql(`set maintenance_work_mem = '128MB';\n${indexes}\nvacuum analyze;`)
}

function insert(rows: number): string {
  return `with phrase as materialized (
  select k, (select string_agg(substr(translate(md5((20000 * random() ^ 3)::int::text), '0123456789', 'ghijklmnop'), 1, 3 + w % 6), ' ')
    from generate_series(k * 0, 6) w) as words
  from generate_series(0, 4999) k
), sayings as materialized (
  select n, floor(random() * 5000)::int as a, floor(random() * 5000)::int as b, floor(random() * 5000)::int as c,
    floor(random() * 5000)::int as d from generate_series(1, ${rows}) n
), people as materialized (select array_agg(id) as ids, count(*)::int as many from (select id from sessions limit 400) s)
insert into messages (session_id, role, content, created_at, model, tokens_input, tokens_output, metadata)
select p.ids[1 + n % p.many], (array['user', 'assistant'])[1 + n % 2],
  concat_ws(' ', a.words, b.words, c.words, d.words), now() - n * interval '3 seconds',
  case when n % 2 = 1 then 'qwen3:32b' end, n % 900, n % 700, jsonb_build_object('turn', n)
from people p, sayings s join phrase a on a.k = s.a join phrase b on b.k = s.b join phrase c on c.k = s.c
  join phrase d on d.k = s.d;`
}

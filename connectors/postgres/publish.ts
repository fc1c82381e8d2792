import { Fault } from '@postern/protocol/fault.ts'
import type { Target } from '../copy-contract.ts'
import { quoteName } from '../digest.ts'
import { quoteTable } from './names.ts'
import type { TargetFacts } from './prepare.ts'
import { markPublished } from './record.ts'
import { ServerError } from './server-error.ts'
import { type Row, StatementRun } from './statement-run.ts'
import type { Wire } from './wire.ts'
import type { Aim, Work } from './work.ts'

export interface Publishing {
  readonly aim: Aim
  readonly target: Target
  readonly facts: TargetFacts
  readonly run: string
}

/** All in one transaction, with the mark that it is done: a second call finds the mark and does nothing. */
export async function publishRun(work: Work, publishing: Publishing, signal: AbortSignal): Promise<void> {
  const { facts, aim } = publishing
  const mark = markPublished(publishing.run)
  const once = (how: (wire: Wire, publishing: Publishing) => Promise<void>) =>
    work.write(aim, signal, async (wire) => {
      if ((await StatementRun.all(wire, [mark])).affected === 1) await how(wire, publishing)
    })
  if (facts.mode === 'append') return work.write(aim, signal, async (wire) => StatementRun.ahead(wire, [mark]))
  if (facts.mode === 'upsert') return once(merge)
  try {
    await once(swapOrRefill)
  } catch (cause) {
    const inner = cause instanceof Fault ? cause.cause : undefined
    // Something that was not foreseen hangs on the old table, or it is another's: then its rows are replaced, not itself.
    if (!(inner instanceof ServerError) || !['2BP01', '42501'].includes(inner.code)) throw cause
    await once(refill)
  }
}

/** The server lets nobody change them in rows that are there (prepare.ts says so in the notes). */
const IDENTITIES = `select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and attidentity = 'a'`

export async function identitiesOf(wire: Wire, facts: TargetFacts): Promise<ReadonlySet<string>> {
  return new Set((await StatementRun.one(wire, IDENTITIES, [quoteTable(facts)])).rows.flatMap(([name]) => name ?? []))
}

async function merge(wire: Wire, publishing: Publishing): Promise<void> {
  const staging = stagingOf(publishing.facts)
  await mergeFrom(wire, publishing, staging)
  await StatementRun.one(wire, `drop table ${staging}`)
}

/** `rows`: a table, quoted. */
export async function mergeFrom(wire: Wire, { target, facts }: Pick<Publishing, 'target' | 'facts'>, rows: string): Promise<void> {
  const names = target.columns.map((column) => quoteName(column.name))
  const key = new Set(facts.key)
  const identities = await identitiesOf(wire, facts)
  const others = target.columns
    .filter((column) => !key.has(column.name) && !identities.has(column.name))
    .map((column) => quoteName(column.name))
  const action = others.length === 0 ? 'do nothing' : `do update set ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`
  try {
    await StatementRun.one(
      wire,
      `insert into ${quoteTable(facts)} (${names.join(', ')}) overriding system value
       select ${names.join(', ')} from ${rows}
       on conflict (${facts.key.map(quoteName).join(', ')}) ${action}`,
    )
  } catch (cause) {
    if (!(cause instanceof ServerError) || cause.code !== '21000') throw cause
    throw new Fault('ROW_INVALID', {
      at: `${target.title}: the source has the same key (${facts.key.join(', ')}) in more than one row`,
      remedy: 'Select one row for each key in --from "(select distinct on ...)".',
      cause,
    })
  }
}

async function swapOrRefill(wire: Wire, publishing: Publishing): Promise<void> {
  const { facts } = publishing
  const table = quoteTable(facts)
  const [exists] = (await StatementRun.one(wire, 'select to_regclass($1) is not null', [table])).rows
  if (exists?.[0] !== 't') {
    await StatementRun.one(wire, `alter table ${stagingOf(facts)} rename to ${quoteName(facts.table)}`)
    return
  }
  // Nobody reads between the old rows and the new ones.
  await StatementRun.one(wire, `lock table ${table} in access exclusive mode`)
  const [own] = (await StatementRun.one(wire, CAN_SWAP, [table])).rows
  if (own?.[0] === 't' && !facts.created) await swap(wire, publishing)
  else await refill(wire, publishing)
}

/** Only a table on which nothing hangs that LIKE does not copy can be replaced by another one. */
const CAN_SWAP = `
  select pg_has_role(c.relowner, 'usage')
     and c.relowner = (select oid from pg_roles where rolname = current_user)
     and c.relkind = 'r' and c.relpersistence = 'p' and c.reloptions is null and c.reltablespace = 0 and c.relreplident = 'd'
     and not c.relispartition and not c.relrowsecurity and not c.relforcerowsecurity and c.reloftype = 0
     and not exists (select from pg_inherits i where c.oid in (i.inhparent, i.inhrelid))
     and not exists (select from pg_constraint k where k.contype = 'f' and c.oid in (k.conrelid, k.confrelid))
     and not exists (select from pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal)
     and not exists (select from pg_policy p where p.polrelid = c.oid)
     and not exists (select from pg_rewrite r where r.ev_class = c.oid)
     and not exists (select from pg_publication_rel p where p.prrelid = c.oid)
     and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and a.attacl is not null)
     -- views, functions, sequences (serial, identity): all that depends on the table and is not part of it
     and not exists (select from pg_depend d
                      where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
                        and d.classid not in ('pg_type'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass)
                        and not (d.classid = 'pg_class'::regclass
                                 and (d.objid in (select indexrelid from pg_index where indrelid = c.oid)
                                      or exists (select from pg_class t where t.oid = d.objid and t.relkind = 't'))))
    from pg_class c
   where c.oid = $1::regclass`

const GRANTS = `
  select a.privilege_type, case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end, a.is_grantable
    from pg_class c
   cross join lateral aclexplode(c.relacl) a
    left join pg_roles r on r.oid = a.grantee
   where c.oid = $1::regclass and a.grantee <> c.relowner`

/** Indexes by what they are, without their names and their table's. */
const INDEXES = `
  select x.relname, regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX .*? ON .*? USING ', '\\1') || i.indisprimary
    from pg_index i join pg_class x on x.oid = i.indexrelid
   where i.indrelid = $1::regclass
   order by 2, 1`

async function swap(wire: Wire, { facts, run }: Publishing): Promise<void> {
  const table = quoteTable(facts)
  const staging = stagingOf(facts)
  const old = `_postern_old_${run}`.slice(0, 63)
  const grants = (await StatementRun.one(wire, GRANTS, [table])).rows
  const comment = (await StatementRun.one(wire, `select quote_literal(obj_description($1::regclass, 'pg_class'))`, [table])).rows[0]?.[0]
  const before = (await StatementRun.one(wire, INDEXES, [table])).rows
  const after = (await StatementRun.one(wire, INDEXES, [staging])).rows
  await StatementRun.all(wire, [
    { sql: `alter table ${table} rename to ${quoteName(old)}` },
    { sql: `alter table ${staging} rename to ${quoteName(facts.table)}` },
    ...grants.map(([privilege, grantee, grantable]) => ({
      sql: `grant ${privilege} on ${table} to ${grantee}${grantable === 't' ? ' with grant option' : ''}`,
    })),
    ...(comment ? [{ sql: `comment on table ${table} is ${comment}` }] : []),
    { sql: `drop table ${quoteTable({ schema: facts.schema, table: old })}` },
    ...renames(facts.schema, before, after),
    { sql: `analyze ${table}` },
  ])
}

/** The new indexes take over the names of the old ones, which are gone by now. */
function renames(schema: string, before: readonly Row[], after: readonly Row[]): { readonly sql: string }[] {
  if (before.length !== after.length) return []
  return after.flatMap(([name, definition], i) => {
    const [wanted, same] = before[i] ?? []
    if (definition !== same || !name || !wanted || name === wanted) return []
    return [{ sql: `alter index ${quoteTable({ schema, table: name })} rename to ${quoteName(wanted)}` }]
  })
}

/** Keeps the table and all that hangs on it, and replaces its rows. */
async function refill(wire: Wire, { target, facts }: Publishing): Promise<void> {
  const names = target.columns.map((column) => quoteName(column.name)).join(', ')
  const table = quoteTable(facts)
  await StatementRun.all(wire, [
    { sql: `delete from ${table}` },
    { sql: `insert into ${table} (${names}) overriding system value select ${names} from ${stagingOf(facts)}` },
    { sql: `drop table ${stagingOf(facts)}` },
  ])
}

function stagingOf(facts: TargetFacts): string {
  return quoteTable({ schema: facts.schema, table: facts.staging ?? '' })
}

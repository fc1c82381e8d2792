/** Which statements a connection has prepared under names of ours, so that texts that come often are parsed and planned once. */
import type { CellColumn } from '../formats/encoder.ts'
import { closeStatement, prepare, runNamed } from './messages.ts'

/** Prepared from so many uses on: as the usual drivers do it. Texts that come once leave nothing behind in the server. */
const OFTEN = 5
const TEXTS = 1_000
const TEXT_CHARACTERS = 8_192
/** Statements of one connection: the server keeps their plans. */
const NAMES = 50

/** How often texts came lately, over all connections of a pool. */
export class TextCounts {
  readonly #counts = new Map<string, number>()

  /** Counts this use too. */
  often(sql: string): boolean {
    if (sql.length > TEXT_CHARACTERS) return false
    const uses = (this.#counts.get(sql) ?? 0) + 1
    if (uses > OFTEN) return true
    this.#counts.delete(sql)
    this.#counts.set(sql, uses)
    if (this.#counts.size > TEXTS) this.#counts.delete(this.#counts.keys().next().value ?? '')
    return uses === OFTEN
  }
}

export interface NamedText {
  readonly name: string
  /** Known once it has been described: a prepared statement keeps its columns, or fails. */
  columns?: readonly CellColumn[]
}

/**
 * Ends a read: takes back what ROLLBACK does not (advisory locks of the session), and looks whether the statement left something
 * behind that it cannot take back so cheaply: prepared statements made or dropped in SQL, by whatever function.
 */
const CHECK =
  'select count(*) filter (where from_sql) * 1000 + count(*), pg_catalog.pg_advisory_unlock_all() from pg_catalog.pg_prepared_statement()'
const OWN = [
  ['postern_begin', 'begin read only'],
  ['postern_check', CHECK],
  ['postern_rollback', 'rollback'],
] as const

const PREPARE_OWN = Buffer.concat(OWN.map(([name, sql]) => prepare(name, sql)))
export const BEGIN_NAMED = runNamed('postern_begin', { params: [] })
export const END_NAMED = Buffer.concat([runNamed('postern_check', { params: [] }), runNamed('postern_rollback', { params: [] })])
const NOTHING = Buffer.alloc(0)

/** The names on one connection. Forget them when it was reset. */
export class StatementNames {
  readonly #texts = new Map<string, NamedText>()
  #own = false
  #last = 0

  /** What the check answers when nothing was left behind. */
  get expected(): string {
    return String(OWN.length + this.#texts.size)
  }

  /** What is to be sent before the first use. */
  prepareOwn(): Buffer {
    if (this.#own) return NOTHING
    this.#own = true
    return PREPARE_OWN
  }

  find(sql: string): NamedText | undefined {
    return this.#texts.get(sql)
  }

  /** A name for a text that has none, and what is to be sent before it is used. */
  add(sql: string): { readonly named: NamedText; readonly bytes: Buffer } {
    const [oldest] = this.#texts.size >= NAMES ? this.#texts : []
    if (oldest) this.#texts.delete(oldest[0])
    this.#last += 1
    const named: NamedText = { name: `postern_${this.#last}` }
    this.#texts.set(sql, named)
    return { named, bytes: Buffer.concat([oldest ? closeStatement(oldest[1].name) : NOTHING, prepare(named.name, sql)]) }
  }

  /** DISCARD ALL was sent. */
  forget(): void {
    this.#texts.clear()
    this.#own = false
  }
}

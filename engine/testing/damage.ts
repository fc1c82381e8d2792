/** Damage as a faulty target would do it: the sink's honest counts say nothing, only the data tell. */
import type { Sink } from '@postern/connectors/copy-contract.ts'
import type { OpenStore } from '../engine.ts'
import type { OpenedStore } from './real-stores.ts'
import { DEFECTS, type Spoil, SpoiledSink } from './spoiled-sink.ts'

const shifted = (cell: string) => cell.replace(/(\d\d:\d\d:\d\d[.\d]*)\+00/, '$1+01')

/** For rows that have a time with a zone. */
export const DAMAGE: Readonly<Record<string, Spoil>> = {
  ...DEFECTS,
  'shifts the time zone': (rows) => rows.map(shifted),
}

/** MariaDB takes moments in UTC only: another zone in the text is refused, so the hour itself is wrong here. */
export const MARIADB_DAMAGE: typeof DAMAGE = {
  ...DAMAGE,
  'shifts the time zone': (rows) =>
    rows.map((row) => row.replace(/ (\d\d)(:\d\d:\d\d)/, (_, hour, rest) => ` ${(Number(hour) + 1) % 24}${rest}`)),
}

/** The store with a sink that spoils what it writes while `on()`. */
export function spoiling(store: OpenedStore, spoil: Spoil, on: () => boolean = () => true): OpenStore {
  const { session, connector } = store
  const sink = new SpoiledSink({ inner: session.sink as Sink, spoil: (rows) => (on() ? spoil(rows) : rows), lies: true })
  const rest = { check: session.check.bind(session), browse: session.browse.bind(session), [Symbol.asyncDispose]: async () => {} }
  return { connector, session: { ...rest, sink } }
}

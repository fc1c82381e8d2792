/** The options of a copy in words; those that were left out stand for what they do. */
import type { RunView } from '@postern/protocol/api/runs.ts'
import { count, duration, rate } from '../parts/figures.ts'

type Copy = RunView['copy']

const MODES = {
  append: 'append: adds the rows to what is there',
  overwrite: 'overwrite: replaces all',
  upsert: 'upsert: by the key',
} as const

export function copyWords(copy: Copy, lane: RunView['lane'], guarantee: RunView['guarantee']): readonly (readonly [string, string])[] {
  const { mode = 'append', key = [], skipIncompatibleRows: skip, read = {}, write = {} } = copy
  return [
    ['From', `${copy.source}: ${copy.from}`],
    ['To', `${copy.sink}: ${copy.to}`],
    ['Mode', MODES[mode]],
    ...(key.length > 0 ? [['Key', key.join(', ')] as const] : []),
    ...(copy.partitionBy ? [['Folders by the values of', copy.partitionBy.join(', ')] as const] : []),
    ['Only what is new', copy.watermark === undefined ? 'no: all rows' : `above the last ${copy.watermark}`],
    ['Guarantee', guarantee ?? `${copy.guarantee ?? 'exactly-once'}, asked for`],
    ['Lane', lane ?? 'not planned yet'],
    ['Verification', copy.verify ?? 'counts'],
    ['Parts', copy.parts === undefined ? 'by size' : count(copy.parts)],
    ['Cut by', copy.splitBy ?? "the connector's choice"],
    ['Rows that do not fit', skip === undefined ? 'fail the copy' : skipWords(skip)],
    ...optionWords('Read with', read),
    ...optionWords('Written with', write),
    ['At a time', copy.parallel === undefined ? 'as many parts as the nodes take' : `${count(copy.parallel)} parts at the most`],
    ['Pace', paceWords(copy)],
    ['Time-out', copy.timeoutMs === undefined ? 'none' : duration(copy.timeoutMs)],
    ['Retries of a task', count(copy.retries ?? 3)],
    ['Runs on', copy.node ?? 'any node'],
  ]
}

function skipWords({ limit = 1_000, rejects }: NonNullable<Copy['skipIncompatibleRows']>): string {
  return `up to ${count(limit)} are left out${rejects ? `, into ${rejects.store}: ${rejects.path}` : ' and only counted'}`
}

function optionWords(title: string, options: NonNullable<Copy['read']>): readonly (readonly [string, string])[] {
  const pairs = Object.entries(options).map(([name, value]) => `${name} = ${value}`)
  return pairs.length === 0 ? [] : [[title, pairs.join(', ')]]
}

function paceWords({ rowsPerSecond, bytesPerSecond }: Copy): string {
  const limits = [
    ...(rowsPerSecond === undefined ? [] : [`${count(rowsPerSecond)} rows a second`]),
    ...(bytesPerSecond === undefined ? [] : [rate(bytesPerSecond)]),
  ]
  return limits.length === 0 ? 'as fast as it goes' : `at most ${limits.join(', ')}`
}

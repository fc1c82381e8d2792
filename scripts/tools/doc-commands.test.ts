import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { systemClock } from '@postern/base/clock.ts'
import { buildProgram } from '@postern/cli/program.ts'
import { expect, test } from 'vitest'
import { type Command, codeOf, commandsOf, wrongWith } from './doc-commands.ts'
import { PAGES, ROOT } from './doc-pages.ts'

const program = buildProgram({
  stdin: Readable.from([]),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  env: {},
  configFolder: '',
  clock: systemClock,
  signal: new AbortController().signal,
})

/** Options of other programs that pages name. */
const OTHERS = ['--once', '--external-memory-accounted-in-global-limit']

const allOptions = (command: Command): readonly string[] => [
  ...command.options.flatMap((option) => option.long ?? []),
  ...command.commands.flatMap(allOptions),
]

test.each(PAGES)('every command of %s is one that there is', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8')
  const inline = new Set([...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]))

  const wrong = codeOf(text).flatMap((code) =>
    commandsOf(code).flatMap((words) => {
      const says = wrongWith(program, words, !inline.has(code))
      return says === undefined ? [] : [`${says}: ${code}`]
    }),
  )

  expect(wrong).toEqual([])
})

test.each(PAGES)('every option that %s names by itself is one that there is', (page) => {
  const known = new Set([...allOptions(program), ...OTHERS, '--help', '--json'])
  const named = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/`(--[a-z][a-z-]*)/g)].map((match) => match[1] ?? '')

  expect(named.filter((option) => !known.has(option))).toEqual([])
})

test.each([
  ['npx postern query shop "select 1 # x" --param 42 # a remark', [['query', 'shop', 'select 1 # x', '--param', '42']]],
  [
    'A=$(cat f) npx postern person create ann && npx postern node start',
    [
      ['person', 'create', 'ann'],
      ['node', 'start'],
    ],
  ],
  ['npx postern query shop - < report.sql', [['query', 'shop', '-']]],
  ['psql postern', []],
])('%s has the commands %j', (code, commands) => {
  expect(commandsOf(code)).toEqual(commands)
})

test.each([
  [['gateway', 'lst'], 'there is no command "lst"'],
  [['token', 'create', 'x', '--expires', '3'], 'there is no option "--expires"'],
  [['run', 'show'], 'an argument is missing'],
  [['run', 'show', 'a', 'b'], '"b" is too much'],
  [['store', 'create', 'shop', '--gateway', 'demo'], '--kind is missing'],
  [['store', 'create', 'shop', '...'], undefined],
])('%j: %s', (words, says) => {
  expect(wrongWith(program, words, true)).toBe(says)
})

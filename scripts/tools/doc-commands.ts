/** Lines of `postern` in the docs, held against the command line that there is. Checked by doc-commands.test.ts. */
import type { buildProgram } from '@postern/cli/program.ts'

/** As the command line has them, of the version that it uses. */
export type Command = ReturnType<typeof buildProgram>
type Option = Command['options'][number]

/** What stands on a page as code: blocks with their continued lines joined, and what is in backticks. */
export function codeOf(page: string): readonly string[] {
  const lines = page.replace(/\\\n\s*/g, ' ').split('\n')
  const blocks = lines.filter((line) => /^(?: {4}| {7})\S/.test(line)).map((line) => line.trim())
  const inline = [...page.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')
  return [...blocks, ...inline]
}

/** The words behind each `postern` of a line of shell: quotes taken away; what is piped, redirected or remarked left out. */
export function commandsOf(code: string): readonly (readonly string[])[] {
  return statementsOf(code).flatMap((words) => {
    const start = words.findIndex((word) => !/^[A-Z_]+=/.test(word) && word !== 'npx')
    return words[start] === 'postern' ? [words.slice(start + 1)] : []
  })
}

const TOKEN = /\s+|"((?:[^"\\]|\\.)*)"|'([^']*)'|(&&|\|\||[|;<>&])|(#)|((?:\$\([^)]*\)|[^\s"'|;<>&])+)/gy

function statementsOf(code: string): readonly (readonly string[])[] {
  const statements: string[][] = [[]]
  let word: string | undefined
  const end = () => {
    if (word !== undefined) statements.at(-1)?.push(word)
    word = undefined
  }
  for (const [token, double, single, operator, remark, plain] of code.matchAll(TOKEN)) {
    if (remark !== undefined && word === undefined) break
    if (operator !== undefined) {
      end()
      statements.push([])
    } else if (double ?? single ?? plain ?? remark) word = (word ?? '') + (double ?? single ?? plain ?? remark)
    else if (token.trim() === '') end()
    else word ??= ''
  }
  end()
  return statements
}

/** What is wrong with the words, or undefined. `whole`: it is a line to type, not a mention, so nothing may be missing. */
export function wrongWith(program: Command, words: readonly string[], whole: boolean): string | undefined {
  let command = program
  let at = 0
  for (let child = childOf(command, words[at]); child; child = childOf(command, words[at])) {
    command = child
    at += 1
  }
  const rest = words.slice(at)
  if (command.commands.length > 0 && command.registeredArguments.length === 0) {
    const [first] = rest
    if (first === undefined) return whole ? 'a command is missing' : undefined
    return isOpen(first) || first.startsWith('-') ? undefined : `there is no command "${first}"`
  }
  return wrongOptions(command, rest) ?? wrongCount(command, rest, whole)
}

const childOf = (command: Command, word: string | undefined) => command.commands.find((child) => child.name() === word)
/** A word of the docs that stands for others, or an arrow of a drawing. */
const isOpen = (word: string) => /…|→|\.\.\.|^COMMAND$/.test(word)
const isOption = (word: string) => /^--?[a-z]/i.test(word)
const optionOf = (command: Command, word: string): Option | undefined =>
  command.options.find((option) => option.long === word.split('=')[0] || option.short === word)

function wrongOptions(command: Command, words: readonly string[]): string | undefined {
  const unknown = words.find((word) => isOption(word) && !['--help', '-h', '--version'].includes(word) && !optionOf(command, word))
  return unknown === undefined ? undefined : `there is no option "${unknown}"`
}

function wrongCount(command: Command, words: readonly string[], whole: boolean): string | undefined {
  if (words.some(isOpen) || words.includes('--help')) return undefined
  const values = words.filter((word, index) => {
    const before = words[index - 1]
    const taken = before !== undefined && isOption(before) && !before.includes('=') && takesValue(optionOf(command, before))
    return !isOption(word) && !taken
  })
  const wanted = command.registeredArguments
  const most = wanted.some((argument) => argument.variadic) ? Number.POSITIVE_INFINITY : wanted.length
  if (values.length > most) return `"${values.at(-1)}" is too much`
  if (!whole) return undefined
  if (values.length < wanted.filter((argument) => argument.required).length) return 'an argument is missing'
  const missing = command.options.find((option) => option.mandatory && !words.some((word) => optionOf(command, word) === option))
  return missing ? `${missing.long} is missing` : undefined
}

const takesValue = (option: Option | undefined) => option !== undefined && (option.required || option.optional)

import { Code } from '@mantine/core'

/** What stands between backticks is to be typed, and looks like it. */
export function WithCode({ text }: { readonly text: string }) {
  return text.split('`').map((part, index) =>
    // The parts of one text stay in their order.
    // biome-ignore lint/suspicious/noArrayIndexKey: they have no other name
    index % 2 === 1 ? <Code key={index}>{part}</Code> : part,
  )
}

import { Text, TextInput } from '@mantine/core'
import type { ReactNode } from 'react'

interface FindFieldProps {
  readonly label: string
  /** In which of its words one is looked for. */
  readonly placeholder: string
  readonly find: string | undefined
  readonly onFind: (find: string | undefined) => void
}

/** Finds in a list while one types; what is typed stands in the address. */
export function FindField({ label, placeholder, find, onFind }: FindFieldProps) {
  return (
    <TextInput
      aria-label={label}
      placeholder={placeholder}
      value={find ?? ''}
      onChange={(event) => onFind(event.currentTarget.value || undefined)}
      w={{ base: '100%', xs: 280 }}
    />
  )
}

/** More rows than anybody reads: what stands above the list finds who is meant. */
const SHOWN = 200

interface FoundListProps<Item> {
  /** Undefined while the list is read. */
  readonly all: readonly Item[] | undefined
  readonly found: readonly Item[]
  /** Said when there is none at all, and when none is like that. */
  readonly none: string
  readonly noneFound: string
  readonly children: (shown: readonly Item[]) => ReactNode
}

/** What was found, or why there is nothing. */
export function FoundList<Item>({ all, found, none, noneFound, children }: FoundListProps<Item>) {
  if (!all) return null
  if (found.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {all.length === 0 ? none : noneFound}
      </Text>
    )
  return (
    <>
      {children(found.slice(0, SHOWN))}
      {found.length > SHOWN && (
        <Text size="sm" c="dimmed">
          And {found.length - SHOWN} more: say more of the name.
        </Text>
      )}
    </>
  )
}

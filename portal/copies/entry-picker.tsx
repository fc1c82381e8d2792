import { Anchor, Breadcrumbs, Button, Checkbox, Group, Loader, ScrollArea, Stack, Table, Text, TextInput } from '@mantine/core'
import type { CatalogEntry } from '@postern/protocol/api/stores.ts'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, KEYS } from '../app/client.ts'
import { FaultNote } from '../parts/fault-note.tsx'
import { bytes, count } from '../parts/figures.ts'

export interface EntryPickerProps {
  readonly store: string
  readonly chosen: readonly string[]
  readonly onChoose: (paths: readonly string[]) => void
}

/** More are not drawn: the words find the rest. */
const DRAWN = 300

/** One level of what a store holds, with a box at all that can be copied. */
export function EntryPicker({ store, chosen, onChoose }: EntryPickerProps) {
  const [trail, setTrail] = useState<readonly string[]>([])
  const [words, setWords] = useState('')
  const [picked, setPicked] = useState(chosen)
  const path = trail.at(-1) ?? ''
  const catalog = useQuery({
    queryKey: KEYS.catalog(store, path),
    queryFn: ({ signal }) => api.stores.catalog(store, path, signal),
    staleTime: 10_000,
  })
  const found = (catalog.data?.entries ?? []).filter(({ name }) => name.toLowerCase().includes(words.trim().toLowerCase()))
  const go = (to: readonly string[]) => {
    setTrail(to)
    setWords('')
  }
  return (
    <Stack gap="sm">
      <Breadcrumbs>
        {['', ...trail].map((one, at) => (
          <Anchor key={one} component="button" type="button" size="sm" onClick={() => go(trail.slice(0, at))}>
            {one === '' ? store : one}
          </Anchor>
        ))}
      </Breadcrumbs>
      <TextInput
        aria-label="Name"
        placeholder="Name"
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        data-autofocus
      />
      {catalog.isPending && <Loader size="sm" aria-label="Looking into the store" />}
      {catalog.error && <FaultNote cause={catalog.error} />}
      {catalog.data && found.length === 0 && <Text c="dimmed">{words === '' ? 'Nothing is here.' : 'Nothing here is called so.'}</Text>}
      {found.length > 0 && (
        <ScrollArea.Autosize mah="50dvh">
          <Entries
            entries={found.slice(0, DRAWN)}
            picked={picked}
            onPick={(one, yes) => setPicked(yes ? [...picked, one] : picked.filter((other) => other !== one))}
            onOpen={(one) => go([...trail, one])}
          />
        </ScrollArea.Autosize>
      )}
      {(found.length > DRAWN || catalog.data?.truncated) && (
        <Text size="xs" c="dimmed">
          There is more than is shown: type a part of the name.
        </Text>
      )}
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {count(picked.length)} chosen
        </Text>
        <Button onClick={() => onChoose(picked)}>{picked.length > 1 ? `Take these ${picked.length}` : 'Take it'}</Button>
      </Group>
    </Stack>
  )
}

interface EntriesProps {
  readonly entries: readonly CatalogEntry[]
  readonly picked: readonly string[]
  readonly onPick: (path: string, yes: boolean) => void
  readonly onOpen: (path: string) => void
}

function Entries({ entries, picked, onPick, onOpen }: EntriesProps) {
  return (
    <Table highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Name</Table.Th>
          <Table.Th>Is</Table.Th>
          <Table.Th ta="right">Rows, about</Table.Th>
          <Table.Th ta="right">Size</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {entries.map(({ name, path, type, rows, bytes: size }) => (
          <Table.Tr key={path}>
            <Table.Td>
              <Group gap="xs" wrap="nowrap">
                {type !== 'schema' && (
                  <Checkbox
                    size="xs"
                    aria-label={`Copy ${name}`}
                    checked={picked.includes(path)}
                    onChange={(event) => onPick(path, event.currentTarget.checked)}
                  />
                )}
                {type === 'schema' || type === 'folder' ? (
                  <Anchor component="button" type="button" size="sm" onClick={() => onOpen(path)}>
                    {name}
                  </Anchor>
                ) : (
                  <Text size="sm">{name}</Text>
                )}
              </Group>
            </Table.Td>
            <Table.Td>{type}</Table.Td>
            <Table.Td ta="right">{rows === undefined ? '' : count(rows)}</Table.Td>
            <Table.Td ta="right">{size === undefined ? '' : bytes(size)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

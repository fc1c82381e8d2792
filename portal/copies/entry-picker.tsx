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

type Place = Pick<CatalogEntry, 'path' | 'name'>

/** More are not drawn: the words find the rest. */
const DRAWN = 300

/** One level of what a store holds, with a box at all that can be copied. */
export function EntryPicker({ store, chosen, onChoose }: EntryPickerProps) {
  const [trail, setTrail] = useState<readonly Place[]>([])
  const [words, setWords] = useState('')
  const [picked, setPicked] = useState(chosen)
  const path = trail.at(-1)?.path ?? ''
  const catalog = useQuery({
    queryKey: KEYS.catalog(store, path),
    queryFn: ({ signal }) => api.stores.catalog(store, path, signal),
    staleTime: 10_000,
  })
  const found = (catalog.data?.entries ?? []).filter(({ name }) => name.toLowerCase().includes(words.trim().toLowerCase()))
  const go = (to: readonly Place[]) => {
    setTrail(to)
    setWords('')
  }
  return (
    <Stack gap="sm">
      <Breadcrumbs>
        {[{ path: '', name: store }, ...trail].map((one, at) => (
          <Anchor key={one.path} component="button" type="button" size="sm" onClick={() => go(trail.slice(0, at))}>
            {one.name}
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
            onPick={(paths, yes) => setPicked([...picked.filter((one) => !paths.includes(one)), ...(yes ? paths : [])])}
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
        <Button disabled={picked.length + chosen.length === 0} onClick={() => onChoose(picked)}>
          {picked.length > 1 ? `Take these ${picked.length}` : 'Take it'}
        </Button>
      </Group>
    </Stack>
  )
}

interface EntriesProps {
  readonly entries: readonly CatalogEntry[]
  readonly picked: readonly string[]
  readonly onPick: (paths: readonly string[], yes: boolean) => void
  readonly onOpen: (place: Place) => void
}

function Entries({ entries, picked, onPick, onOpen }: EntriesProps) {
  return (
    <Table highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>
            <Group gap="xs" wrap="nowrap">
              <AllOfThem {...{ entries, picked, onPick }} />
              Name
            </Group>
          </Table.Th>
          <Table.Th visibleFrom="sm">Is</Table.Th>
          <Table.Th ta="right">Rows, about</Table.Th>
          <Table.Th ta="right">Size</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {entries.map((entry) => (
          <Table.Tr key={entry.path}>
            <Table.Td>
              <EntryName entry={entry} isPicked={picked.includes(entry.path)} {...{ onPick, onOpen }} />
            </Table.Td>
            <Table.Td visibleFrom="sm">{entry.type}</Table.Td>
            <Table.Td ta="right">{entry.rows === undefined ? '' : count(entry.rows)}</Table.Td>
            <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
              {entry.bytes === undefined ? '' : bytes(entry.bytes)}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

const canBeCopied = ({ type }: CatalogEntry) => type !== 'schema'

/** Those in sight: the words narrow them first. */
function AllOfThem({ entries, picked, onPick }: Omit<EntriesProps, 'onOpen'>) {
  const paths = entries.filter(canBeCopied).map(({ path }) => path)
  const chosen = paths.filter((path) => picked.includes(path)).length
  if (paths.length === 0) return null
  return (
    <Checkbox
      size="xs"
      aria-label="Copy all of them"
      checked={chosen === paths.length}
      indeterminate={chosen > 0 && chosen < paths.length}
      onChange={(event) => onPick(paths, event.currentTarget.checked)}
    />
  )
}

interface EntryNameProps extends Pick<EntriesProps, 'onPick' | 'onOpen'> {
  readonly entry: CatalogEntry
  readonly isPicked: boolean
}

function EntryName({ entry, isPicked, onPick, onOpen }: EntryNameProps) {
  const { name, path, type } = entry
  return (
    <Group gap="xs" wrap="nowrap" style={{ overflowWrap: 'anywhere' }}>
      {canBeCopied(entry) && (
        <Checkbox
          size="xs"
          aria-label={`Copy ${name}`}
          checked={isPicked}
          onChange={(event) => onPick([path], event.currentTarget.checked)}
        />
      )}
      {type === 'schema' || type === 'folder' ? (
        <Anchor component="button" type="button" size="sm" onClick={() => onOpen(entry)}>
          {name}
        </Anchor>
      ) : (
        <Text size="sm">{name}</Text>
      )}
    </Group>
  )
}

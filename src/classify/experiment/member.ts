/** What is known of a member that is done: `member.json` in its folder. Without it, or of other settings, it is not done. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { readText, writeAtomically } from '../../io/files.js';

const FORMAT = 'lyrebird-experiment-member/1';

const resultSchema = z.strictObject({
  accuracy: z.number(),
  recordings: z.number(),
  f1: z.number(),
  chance: z.number(),
  tally: z
    .array(z.strictObject({ windows: z.int(), right: z.int() }))
    .describe('of each test recording, in the order in which the data set lists them'),
});

export type MemberResult = Readonly<z.infer<typeof resultSchema>>;

const memberSchema = z.strictObject({
  format: z.literal(FORMAT),
  asked: z.record(z.string(), z.unknown()),
  /** Of classifiers. */
  result: resultSchema.optional(),
  failed: z.string().optional(),
});

export type MemberRecord = Readonly<Pick<z.infer<typeof memberSchema>, 'result' | 'failed'>>;

/** What a member is made by; anything else that lies in its folder is not this member. */
export type Asked = Readonly<Record<string, unknown>>;

const fileOf = (folder: string): string => path.join(folder, 'member.json');

/** Undefined if the member is not done, or what lies there is of other settings, or damaged: then it is made. */
export async function readMember(folder: string, asked: Asked): Promise<MemberRecord | undefined> {
  if (!existsSync(fileOf(folder))) return undefined;
  const text = await readText(fileOf(folder));
  const member = memberSchema.safeParse(parsed(text));
  if (!member.success || !isDeepStrictEqual(member.data.asked, JSON.parse(JSON.stringify(asked)))) return undefined;
  return member.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const writeMember = (folder: string, asked: Asked, record: MemberRecord): Promise<void> =>
  writeAtomically(fileOf(folder), `${JSON.stringify({ format: FORMAT, asked, ...record }, null, 1)}\n`);

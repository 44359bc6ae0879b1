/**
 * Tables of labels as programs write them: which names their columns have. A table has a line of column names, then a line
 * for each thing that sounds. (Audacity's label tracks have no column names: see audacity.ts.)
 */

/** What a column may say. */
export const FIELDS = [
  'file',
  'start',
  'end',
  'duration',
  'offset',
  'label',
  'recordist',
  'low',
  'high',
  'confidence',
] as const;

export type Field = (typeof FIELDS)[number];

/** Names of columns that a user chose. */
export type Columns = Partial<Readonly<Record<Field, string>>>;

export const FORMATS = ['raven', 'audacity', 'birdnet', 'csv'] as const;

export type FormatName = (typeof FORMATS)[number];

export interface Format {
  name: Exclude<FormatName, 'audacity'>;
  /** In messages. */
  title: string;
  /** Whether these (in lower case) are the columns of such a table. */
  recognises(columns: readonly string[]): boolean;
  /** Where a field may stand, the best name first, in lower case. */
  columns: Partial<Readonly<Record<Field, readonly string[]>>>;
  /** Fields that each table has. */
  needs: readonly Field[];
}

const hasAny = (columns: readonly string[], names: readonly string[]) => names.some((name) => columns.includes(name));

/**
 * Cornell's Raven: selections as tab-separated text, for one recording or for several. `Begin Time` counts from the beginning
 * of all the files that were open together, `File Offset` from that of the selection's own. The label stands in a column
 * that the user has added, whatever it is called.
 */
const raven: Format = {
  name: 'raven',
  title: 'Raven selection table',
  recognises: (columns) =>
    hasAny(columns, ['begin time (s)', 'file offset (s)']) ||
    (columns.includes('selection') && hasAny(columns, ['view', 'channel'])),
  columns: {
    file: ['begin path', 'begin file'],
    start: ['begin time (s)'],
    end: ['end time (s)'],
    duration: ['delta time (s)'],
    offset: ['file offset (s)'],
    label: [
      'species',
      'annotation',
      'annotations',
      'label',
      'common name',
      'species code',
      'class',
      'sound type',
      'call type',
      'type',
      'tags',
      'notes',
    ],
    recordist: ['recordist'],
    low: ['low freq (hz)'],
    high: ['high freq (hz)'],
    confidence: ['confidence', 'score'],
  },
  needs: ['start'],
};

/** BirdNET-Analyzer's results: its own CSV, combined or not, and the one for Kaleidoscope. */
const birdnet: Format = {
  name: 'birdnet',
  title: 'BirdNET result',
  recognises: (columns) =>
    columns.includes('confidence') &&
    hasAny(columns, ['start (s)', 'offset']) &&
    hasAny(columns, ['common name', 'common_name', 'scientific name', 'scientific_name']),
  columns: {
    file: ['file', 'filepath', 'in file'],
    start: ['start (s)', 'offset'],
    end: ['end (s)'],
    duration: ['duration'],
    label: ['common name', 'common_name', 'scientific name', 'scientific_name'],
    confidence: ['confidence'],
  },
  needs: ['start', 'label', 'confidence'],
};

/** Anybody's table; without times, the label is that of the whole recording. */
const csv: Format = {
  name: 'csv',
  title: 'table',
  recognises: (columns) =>
    hasAny(columns, csv.columns.label!) && hasAny(columns, [...csv.columns.file!, ...csv.columns.start!]),
  columns: {
    file: [
      'file',
      'filename',
      'file_name',
      'file name',
      'filepath',
      'file_path',
      'path',
      'audio_file',
      'recording',
      'begin file',
      'in file',
    ],
    start: [
      'start',
      'start_time',
      'start time',
      'start (s)',
      'start_s',
      'begin',
      'begin_time',
      'onset',
      'onset_s',
      'begin time (s)',
    ],
    end: ['end', 'end_time', 'end time', 'end (s)', 'end_s', 'stop', 'offset_s', 'end time (s)'],
    duration: ['duration', 'duration (s)', 'duration_s'],
    label: [
      'label',
      'species',
      'class',
      'primary_label',
      'annotation',
      'common name',
      'common_name',
      'scientific name',
      'scientific_name',
    ],
    recordist: ['recordist', 'author', 'recorded by', 'observer'],
    low: ['low', 'low_freq', 'low freq (hz)', 'freq_low', 'min_freq', 'fmin'],
    high: ['high', 'high_freq', 'high freq (hz)', 'freq_high', 'max_freq', 'fmax'],
    confidence: ['confidence', 'score', 'probability'],
  },
  needs: ['label'],
};

/** In the order in which they are tried. */
export const tableFormats: readonly Format[] = [raven, birdnet, csv];

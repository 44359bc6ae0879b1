// A team of WIDTH invocations of a workgroup of 64 works on one output. What each has found of it is combined in a tree,
// always in the same order, and every member learns the result.
//
// Invocation `local` is member local / TEAMS of team local % TEAMS.
// Host guarantees: WIDTH is a power of two from 2 to 64 (else lib/team_of_one); lib/lanes_1 or lib/lanes_4 is used too.
// All invocations of the workgroup must call these functions together.

const TEAMS = 64u / WIDTH;

var<workgroup> team_parts: array<Lanes, 64>;

fn team_sum(local: u32, own: Lanes) -> Lanes {
  // An earlier result may still be in the reading.
  workgroupBarrier();
  team_parts[local] = own;
  for (var half = 32u; half >= TEAMS; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      team_parts[local] += team_parts[local + half];
    }
  }
  workgroupBarrier();
  return team_parts[local % TEAMS];
}

fn team_max(local: u32, own: Lanes) -> Lanes {
  workgroupBarrier();
  team_parts[local] = own;
  for (var half = 32u; half >= TEAMS; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      team_parts[local] = max(team_parts[local], team_parts[local + half]);
    }
  }
  workgroupBarrier();
  return team_parts[local % TEAMS];
}

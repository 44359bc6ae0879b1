// Reading what lies packed in the scratch texture (src/memory/scratch.ts): texels of four neighbouring values.
//
// lavapipe collects a load from a buffer lane by lane, but fetches texels for all lanes at once: per value for eight lanes, a
// load takes 15 ns, a component of a loaded vec4 7 ns, and a component of a texel 2.4 ns (bench/NOTES.md).

@group(2) @binding(0) var packed: texture_storage_2d<rgba32float, read>;

fn texel(i: u32) -> vec4f {
  return textureLoad(packed, vec2u(i & (SCRATCH_WIDTH - 1u), i / SCRATCH_WIDTH));
}

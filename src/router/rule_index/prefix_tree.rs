//! Prefixes in a radix tree: one walk down a text finds the longest prefix that it begins with.
//!
//! Nodes stand in breadth-first order, the children of a node side by side, so that their first bytes are one short
//! slice. Labels stand in one arena. Nothing is recursive: ten thousand nested prefixes are only a deep tree.

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// A radix tree from prefixes to numbers. With `fold`, prefixes are lower case and ASCII case is ignored.
#[derive(Clone, Debug)]
pub(super) struct PrefixTree {
    nodes: Box<[Node]>,
    /// First byte of the label of each node, and [`PADDING`].
    firsts: Box<[u8]>,
    labels: Box<[u8]>,
    fold: bool,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// The first bytes of the label, the first one lowest.
    head: u64,
    label: u32,
    label_length: u32,
    first_child: u32,
    children: u32,
    number: u32,
}

/// The shape of a tree before it has numbers: nodes in breadth-first order.
pub(super) struct Shape {
    nodes: Vec<Node>,
    /// First byte of the label of each node, and [`PADDING`].
    firsts: Vec<u8>,
    labels: Vec<u8>,
    /// Parent of each node; that of the root is the root.
    pub(super) parents: Vec<u32>,
    /// The node of each prefix that was given, in the order given.
    pub(super) places: Vec<u32>,
}

/// A node as the sorted prefixes reveal it.
struct UnplacedNode {
    depth: usize,
    parent: usize,
    /// A prefix that it lies on.
    prefix: usize,
}

impl Shape {
    /// The tree of these prefixes, which are sorted and different from each other. The root is the empty prefix.
    pub(super) fn new(prefixes: &[&[u8]]) -> Self {
        let mut nodes = vec![UnplacedNode {
            depth: 0,
            parent: 0,
            prefix: 0,
        }];
        let mut at_prefix = Vec::with_capacity(prefixes.len());
        // The nodes on the way to the prefix before, root first.
        let mut path = vec![0];
        for (number, prefix) in prefixes.iter().enumerate() {
            let before: &[u8] = if number == 0 {
                b""
            } else {
                prefixes[number - 1]
            };
            let common = before
                .iter()
                .zip(*prefix)
                .take_while(|(a, b)| a == b)
                .count();
            let mut below = None;
            while path.len() > 1 && nodes[path[path.len() - 1]].depth > common {
                below = path.pop();
            }
            let mut top = path[path.len() - 1];
            if let Some(below) = below
                && nodes[top].depth < common
            {
                // The prefix before and this one part in the middle of a label.
                nodes.push(UnplacedNode {
                    depth: common,
                    parent: top,
                    prefix: number,
                });
                top = nodes.len() - 1;
                nodes[below].parent = top;
                path.push(top);
            }
            if nodes[top].depth < prefix.len() {
                nodes.push(UnplacedNode {
                    depth: prefix.len(),
                    parent: top,
                    prefix: number,
                });
                top = nodes.len() - 1;
                path.push(top);
            }
            at_prefix.push(top);
        }
        Self::in_breadth_first_order(&nodes, prefixes, &at_prefix)
    }

    fn in_breadth_first_order(
        nodes: &[UnplacedNode],
        prefixes: &[&[u8]],
        at_prefix: &[usize],
    ) -> Self {
        // Children of each node as lists through `next`; those made later come first.
        let mut first_child = vec![0; nodes.len()];
        let mut next = vec![0; nodes.len()];
        for (child, node) in nodes.iter().enumerate().skip(1) {
            next[child] = first_child[node.parent];
            first_child[node.parent] = child;
        }
        let mut order = vec![0];
        let mut place_of = vec![0_u32; nodes.len()];
        let mut shape = Shape {
            nodes: Vec::with_capacity(nodes.len()),
            firsts: Vec::with_capacity(nodes.len()),
            labels: Vec::new(),
            parents: vec![0],
            places: Vec::new(),
        };
        let mut at = 0;
        while at < order.len() {
            let node = &nodes[order[at]];
            let start = nodes[node.parent].depth.min(node.depth);
            let label: &[u8] = if node.depth == 0 {
                b""
            } else {
                &prefixes[node.prefix][start..node.depth]
            };
            let children = order.len() as u32;
            let mut child = first_child[order[at]];
            while child != 0 {
                place_of[child] = order.len() as u32;
                order.push(child);
                shape.parents.push(at as u32);
                child = next[child];
            }
            let mut head = [0; 8];
            let length = label.len().min(8);
            head[..length].copy_from_slice(&label[..length]);
            shape.nodes.push(Node {
                head: u64::from_le_bytes(head),
                label: shape.labels.len() as u32,
                label_length: label.len() as u32,
                first_child: children,
                children: order.len() as u32 - children,
                number: NONE,
            });
            shape.labels.extend_from_slice(label);
            shape.firsts.push(label.first().copied().unwrap_or(0));
            at += 1;
        }
        shape.firsts.extend([0; PADDING]);
        shape.places = at_prefix.iter().map(|&node| place_of[node]).collect();
        shape
    }

    /// The node of the longest prefix in the tree that `text` begins with.
    pub(super) fn deepest(&self, text: &[u8]) -> u32 {
        let mut deepest = 0;
        let mut rest = text;
        while let Some(&first) = rest.first() {
            let node = &self.nodes[deepest];
            let start = node.first_child as usize;
            let Some(child) = position(&self.firsts[start..], node.children as usize, first) else {
                break;
            };
            let Some(tail) = rest.strip_prefix(self.nodes[start + child].label(&self.labels))
            else {
                break;
            };
            rest = tail;
            deepest = start + child;
        }
        deepest as u32
    }

    /// The tree with these numbers, one for each node.
    pub(super) fn finish(mut self, numbers: &[u32], fold: bool) -> PrefixTree {
        for (node, number) in self.nodes.iter_mut().zip(numbers) {
            node.number = *number;
        }
        PrefixTree {
            firsts: self.firsts.into(),
            nodes: self.nodes.into(),
            labels: self.labels.into(),
            fold,
        }
    }
}

impl Node {
    #[inline]
    fn label<'t>(&self, labels: &'t [u8]) -> &'t [u8] {
        &labels[self.label as usize..(self.label + self.label_length) as usize]
    }
}

impl PrefixTree {
    /// The number of the longest prefix of `text` that has one.
    #[inline]
    pub(super) fn find(&self, text: &[u8]) -> Option<u32> {
        if self.fold {
            self.find_folded::<true>(text)
        } else {
            self.find_folded::<false>(text)
        }
    }

    #[inline]
    fn find_folded<const FOLD: bool>(&self, text: &[u8]) -> Option<u32> {
        let mut node = &self.nodes[0];
        let mut number = node.number;
        let mut rest = text;
        while let Some(&first) = rest.first() {
            let first = if FOLD {
                first.to_ascii_lowercase()
            } else {
                first
            };
            let start = node.first_child as usize;
            let Some(child) = position(&self.firsts[start..], node.children as usize, first) else {
                break;
            };
            node = &self.nodes[start + child];
            let length = node.label_length as usize;
            let Some((head, tail)) = rest.split_at_checked(length) else {
                break;
            };
            let fits = match rest.first_chunk() {
                // A label has a byte at least, but for that of the root.
                Some(word) if !FOLD && length <= 8 => {
                    let differences = u64::from_le_bytes(*word) ^ node.head;
                    differences << (64 - 8 * length) == 0
                }
                _ if FOLD => head.eq_ignore_ascii_case(node.label(&self.labels)),
                _ => head == node.label(&self.labels),
            };
            if !fits {
                break;
            }
            rest = tail;
            if node.number != NONE {
                number = node.number;
            }
        }
        (number != NONE).then_some(number)
    }

    /// Heap bytes.
    pub(super) fn memory_usage(&self) -> usize {
        size_of_val(&*self.nodes) + size_of_val(&*self.firsts) + size_of_val(&*self.labels)
    }
}

/// First bytes are looked at by so many: there are as many behind the last.
const PADDING: usize = 8;

/// The place of a byte among the first `children` bytes of `firsts`.
#[inline]
fn position(firsts: &[u8], children: usize, first: u8) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    if children <= 4 {
        // Branches, so that the processor goes on to the child that it was last time while the byte is still on its way.
        return firsts[..children].iter().position(|&other| other == first);
    }
    if children > 4 * PADDING {
        return memchr::memchr(first, &firsts[..children]);
    }
    let mut start = 0;
    while start < children {
        let word = u64::from_le_bytes(*firsts.get(start..)?.first_chunk()?);
        let word = word ^ (LOW * u64::from(first));
        // The high bit of each byte that is zero, and perhaps of some above the lowest such byte.
        let marks = word.wrapping_sub(LOW) & !word & (LOW << 7);
        if marks != 0 {
            let found = start + marks.trailing_zeros() as usize / 8;
            return (found < children).then_some(found);
        }
        start += PADDING;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_longest_prefix_is_found(prefixes in prop::collection::btree_set("[ab/]{0,6}", 0..30), text in "[abAB/]{0,9}", fold: bool) {
            let keys: Vec<&[u8]> = prefixes.iter().map(|prefix| prefix.as_bytes()).collect();
            let shape = Shape::new(&keys);
            let mut numbers = vec![NONE; shape.parents.len()];
            for (number, &place) in shape.places.iter().enumerate() {
                numbers[place as usize] = number as u32;
                let deepest = shape.deepest(keys[number]);
                prop_assert_eq!(deepest, place);
            }
            prop_assert!(shape.parents.iter().enumerate().skip(1).all(|(node, &parent)| (parent as usize) < node));
            let tree = shape.finish(&numbers, fold);
            let folded = if fold { text.to_ascii_lowercase() } else { text.clone() };
            let expected = (0..keys.len()).filter(|&at| folded.as_bytes().starts_with(keys[at])).max_by_key(|&at| keys[at].len());
            prop_assert_eq!(tree.find(text.as_bytes()), expected.map(|at| at as u32));
        }
    }
}

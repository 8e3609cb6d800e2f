//! The decision: which job starts next, and where. One pure function, for now and for forecasts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::lanes::{Head, LaneIx, Lines};
use super::ledger::UserIx;
use super::queued::{Class, Demand, Room, WorkerKey};
use super::state::{Claim, Claims, Shadow, State, Worker};

/// What is to be done.
#[derive(Debug)]
pub(super) struct Decision {
    /// The job to start now, and where.
    pub start: Option<(LaneIx, Head, WorkerKey)>,
    /// Who goes before others, for the next decision. As before, unless a job starts: where nobody is
    /// overtaken there is nothing to remember, and to ask twice is to ask once.
    pub claims: Claims,
    /// The room that was kept while deciding, and for whom.
    pub kept: Option<(Shadow, Claim)>,
    /// How many jobs were looked at.
    pub looked: u64,
}

/// The place of a job among all: the least goes first. Fields in the order in which they decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    class: Reverse<Class>,
    unclaimed: bool,
    /// Scores are at least 0, and the bits of such floats are in the order of their values.
    project_score: u64,
    project: u32,
    user_score: u64,
    user: u32,
    order: u64,
    pub lane: LaneIx,
}

impl Rank {
    /// The place of a job behind the one of this rank in its lane.
    fn behind(self, class: Class, unclaimed: bool, order: u64) -> Rank {
        Rank { class: Reverse(class), unclaimed, order, ..self }
    }
}

/// Ranks the heads of all lanes of which the project and the user may run one more job.
pub(super) struct Ranking<'a> {
    state: &'a State,
    claims: Claims,
    now_ms: u64,
    decay: f64,
    /// By place in the ledger.
    project_scores: Vec<u64>,
}

impl<'a> Ranking<'a> {
    pub fn new(state: &'a State, claims: Claims, now_ms: u64) -> Ranking<'a> {
        let decay = state.ledger.decay(now_ms);
        let scores = state.ledger.projects.iter().map(|row| row.account.score(decay).to_bits());
        Ranking { state, claims, now_ms, decay, project_scores: scores.collect() }
    }

    /// Calls `see` with each head and its rank.
    pub fn each<L: Lines>(&self, lines: &L, mut see: impl FnMut(Rank, &Head)) {
        let ledger = &self.state.ledger;
        for user in lines.busy() {
            let row = ledger.user(user);
            let project = &ledger.project(row.project).account;
            if row.account.running >= row.account.running_max || project.running >= project.running_max {
                continue;
            }
            let user_score = row.account.score(self.decay).to_bits();
            for class in Class::ALL {
                let lane = LaneIx::of(user, class);
                let Some(head) = lines.head(lane) else { continue };
                let rank = Rank {
                    class: Reverse(self.state.effective(class, head.item.submitted_ms, self.now_ms)),
                    unclaimed: !self.claims.reach(lane, head.order),
                    project_score: self.project_scores[row.project.0 as usize],
                    project: project.rank,
                    user_score,
                    user: row.account.rank,
                    order: head.order,
                    lane,
                };
                see(rank, head);
            }
        }
    }
}

/// What became of a job that was looked at.
enum Look {
    Starts(WorkerKey),
    /// It does not start; one behind it might.
    Stays,
    /// It does not start, and no other of its lane does.
    LaneClosed,
}

/// Decides. `depth` jobs of a lane are looked at when its first does not fit; at least one is.
pub(super) fn decide<L: Lines>(state: &State, lines: &L, depth: u32, now_ms: u64) -> Decision {
    let mut pass = Pass::new(state, lines, now_ms);
    let mut decision = Decision { start: None, claims: pass.claims, kept: None, looked: 0 };
    if pass.asking.is_empty() {
        return decision;
    }
    // Whether a job of the lane could start, as far as can be told without looking at each.
    let widest = pass.widest;
    let reachable = |lane: LaneIx, head: &Head| {
        let least = if depth > 1 { lines.least(lane) } else { head.item.demand };
        least.fits(widest)
    };
    // Nearly always the best one starts, and nothing has to be sorted.
    let ranking = Ranking::new(state, pass.claims, now_ms);
    let (mut best, mut any_reachable) = (None, false);
    ranking.each(lines, |rank, head| {
        any_reachable |= reachable(rank.lane, head);
        best = Some(best.map_or(rank, |best: Rank| best.min(rank)));
    });
    let Some(best) = best.filter(|_| any_reachable) else { return decision };
    let mut heap = BinaryHeap::new();
    let mut first = true;
    // Lanes of which more than the head is looked at.
    let mut behind: Vec<Behind<_>> = Vec::new();
    let mut next = Some((Reverse(best), None));
    while let Some((Reverse(rank), walk)) = next {
        let lane = rank.lane;
        let head = match walk {
            None => lines.head(lane).copied(),
            Some(walk) => behind.get(walk).and_then(|lane: &Behind<_>| lane.current),
        };
        let Some(head) = head else { break };
        decision.looked += 1;
        match pass.look(lane, &head, walk.is_none()) {
            Look::Starts(worker) => {
                pass.claims.forget(Claim { lane, order: head.order });
                decision.claims = pass.claims;
                decision.start = Some((lane, head, worker));
                break;
            }
            Look::LaneClosed => {}
            Look::Stays if depth <= 1 || !lines.least(lane).fits(widest) => {}
            Look::Stays => {
                let walk = walk.unwrap_or_else(|| {
                    let mut jobs = lines.walk(lane);
                    jobs.next();
                    behind.push(Behind { jobs, current: None, looked: 1 });
                    behind.len() - 1
                });
                if let Some(head) = behind[walk].step(depth) {
                    let class = state.effective(lane.class(), head.item.submitted_ms, now_ms);
                    let unclaimed = !pass.sticky.reach(lane, head.order);
                    heap.push((Reverse(rank.behind(class, unclaimed, head.order)), Some(walk)));
                }
            }
        }
        if std::mem::take(&mut first) {
            // What could not start can be left out, unless to look at it would make a claim or end one.
            let mut others = Vec::new();
            ranking.each(lines, |rank, head| {
                let class = rank.lane.class();
                let claims = || pass.shadow.is_none() || !rank.unclaimed || pass.over_ceiling(class, head.item.demand);
                if rank != best && !pass.is_closed(class) && (reachable(rank.lane, head) || claims()) {
                    others.push((Reverse(rank), None));
                }
            });
            heap.extend(others);
        }
        next = heap.pop();
    }
    decision.kept = pass.shadow.map(|(shadow, claim, _)| (shadow, claim));
    decision
}

/// The jobs of a lane behind its head, as far as they are looked at.
struct Behind<I> {
    jobs: I,
    current: Option<Head>,
    looked: u32,
}

impl<I: Iterator<Item = Head>> Behind<I> {
    fn step(&mut self, depth: u32) -> Option<Head> {
        self.current = self.jobs.next().filter(|_| self.looked < depth);
        self.looked += 1;
        self.current
    }
}

/// One decision while it is made.
struct Pass<'a> {
    state: &'a State,
    now_ms: u64,
    /// Workers that ask and have a slot.
    asking: Vec<(WorkerKey, &'a Worker)>,
    /// The most that any of them has free, in each kind: what does not fit here fits none.
    widest: Room,
    /// Claims as they were before, as far as the jobs still wait: they rank.
    sticky: Claims,
    /// Claims as they will be.
    claims: Claims,
    /// The room kept for the first job that fitted nowhere, with its demand.
    shadow: Option<(Shadow, Claim, Demand)>,
    /// The first job of each class that was over its ceiling.
    over: [Option<LaneIx>; 3],
}

impl<'a> Pass<'a> {
    fn new<L: Lines>(state: &'a State, lines: &L, now_ms: u64) -> Pass<'a> {
        let asks = |worker: &&Worker| worker.asking && worker.slots_free() > 0;
        let asking: Vec<_> = state.workers.iter().filter(|(_, worker)| asks(worker)).map(|(&k, w)| (k, w)).collect();
        let widest = asking.iter().fold(Room::default(), |most, (_, worker)| most.most(worker.free()));
        let mut claims = state.claims;
        for slot in claims.each_mut() {
            *slot = slot.filter(|claim| lines.holds(claim.lane, claim.order));
        }
        Pass { state, now_ms, asking, widest, sticky: claims, claims, shadow: None, over: [None; 3] }
    }

    /// Looks at a job, after all that go before it. Its worker, or what its not starting means for others.
    /// Only the head of a lane claims.
    fn look(&mut self, lane: LaneIx, head: &Head, is_head: bool) -> Look {
        let demand = head.item.demand;
        if !self.state.ever_fits(demand) {
            return Look::Stays;
        }
        if !self.within_running_max(lane.user()) {
            return Look::LaneClosed;
        }
        let claim = Claim { lane, order: head.order };
        if is_head {
            self.claims.forget(claim);
        }
        let class = lane.class() as usize;
        if self.over_ceiling(lane.class(), demand) {
            if is_head && self.over[class].is_none() {
                self.over[class] = Some(lane);
                self.claims.class[class] = Some(claim);
            }
            return Look::LaneClosed;
        }
        if let Some(worker) = self.fit(demand, head.item.wall_ms) {
            return Look::Starts(worker);
        }
        if is_head
            && self.shadow.is_none()
            && let Some(shadow) = self.state.shadow(demand, self.now_ms)
        {
            self.shadow = Some((shadow, claim, demand));
            self.claims.room = Some(claim);
        }
        // Who has aged through all classes is not overtaken within its lane any more. Else it could be for
        // ever: each that overtakes it worsens its own rank.
        let waited_ms = self.now_ms.saturating_sub(head.item.submitted_ms);
        if waited_ms >= self.state.rules.age_step_ms.saturating_mul(Class::ALL.len() as u64) {
            return Look::LaneClosed;
        }
        Look::Stays
    }

    /// Jobs that others may not overtake: they hold their place in every limit.
    fn ahead(&self) -> impl Iterator<Item = LaneIx> + '_ {
        self.shadow.iter().map(|(_, claim, _)| claim.lane).chain(self.over.iter().flatten().copied())
    }

    fn within_running_max(&self, user: UserIx) -> bool {
        let ledger = &self.state.ledger;
        let row = ledger.user(user);
        let project = &ledger.project(row.project).account;
        let (mut of_user, mut of_project) = (row.account.running, project.running);
        for other in self.ahead().map(LaneIx::user) {
            of_user = of_user.saturating_add((other == user).into());
            of_project = of_project.saturating_add((ledger.user(other).project == row.project).into());
        }
        of_user < row.account.running_max && of_project < project.running_max
    }

    /// Whether a job of `class` waits for its ceiling, so that no other may start.
    fn is_closed(&self, class: Class) -> bool {
        self.over[class as usize].is_some()
    }

    /// Whether a job of `class` would hold more than the class may, or overtake one that would.
    fn over_ceiling(&self, class: Class, demand: Demand) -> bool {
        if self.is_closed(class) {
            return true;
        }
        let kept = self.shadow.iter().filter(|(_, claim, _)| claim.lane.class() == class);
        let held = kept.fold(self.state.held[class as usize], |held, &(_, _, demand)| held.plus(demand));
        self.state.over_ceiling(class, held, demand)
    }

    /// The asking worker where the least is left over, without the room that is kept.
    fn fit(&self, demand: Demand, wall_ms: u64) -> Option<WorkerKey> {
        if !demand.fits(self.widest) {
            return None;
        }
        let kept = self.shadow.as_ref().map(|(shadow, _, _)| shadow);
        let free = |key: WorkerKey| kept.is_none_or(|kept| kept.allows(key, demand, wall_ms, self.now_ms));
        let fitting = self.asking.iter().filter(|&&(key, worker)| worker.has_room_for(demand) && free(key));
        let left = |worker: &Worker| worker.free().minus(demand).dominant_share(self.state.total);
        // Workers come in the order of their keys, and the first of equal ones is taken.
        fitting.min_by(|(_, a), (_, b)| left(a).total_cmp(&left(b))).map(|&(key, _)| key)
    }
}

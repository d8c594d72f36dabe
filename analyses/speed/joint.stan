// The joint densing-law model as an expert would first write it in Stan: vectorised, every
// hierarchy non-centred. Same posterior as densing_bayes.build_model with models/joint.toml on a
// panel without flags, to a constant; stan_yardstick.py checks that before it samples.
// Names are those of the PyMC model. A prior is a pair: location and scale of a normal or (on the
// log) a log-normal, or the two shapes of a beta.
functions {
  vector sigmoid_score(vector z, vector low, vector high) {
    return low + (high - low) .* inv_logit(z);
  }
  vector score_sd(vector expected, vector items, vector noise) {
    return sqrt(expected .* (1 - expected) .* (1 / items + 4 * square(noise)));
  }
}
data {
  int<lower=1> K;             // benchmarks; the first L are linked through their loss
  int<lower=1, upper=K> L;
  vector[K] chance;
  real log_centre_params;
  real log_reference_tokens;

  int<lower=1> n_loss;        // losses of reference runs
  array[n_loss] int<lower=1, upper=L> loss_benchmark;
  vector[n_loss] loss_log_params;
  vector[n_loss] loss_log_tokens;
  vector<lower=0>[n_loss] loss;

  int<lower=1> n_reference;   // scores of reference runs; loss-linked benchmarks first
  int<lower=0, upper=n_reference> n_reference_loss;
  array[n_reference] int<lower=1, upper=K> reference_benchmark;
  vector[n_reference] reference_items;
  vector[n_reference] reference_score;
  vector[n_reference_loss] reference_loss;
  vector[n_reference - n_reference_loss] reference_log_params;
  vector[n_reference - n_reference_loss] reference_log_tokens;

  int<lower=1> M;             // systems, their releases and organisations
  int<lower=1> R;
  int<lower=1> O;
  vector[M] log_params;
  vector[M] time;
  array[M] int<lower=1, upper=R> system_release;
  array[M] int<lower=1, upper=O> system_organisation;
  real change_time;

  int<lower=1> C;             // cells: scores of systems; loss-linked benchmarks first
  int<lower=0, upper=C> C_loss;
  array[C] int<lower=1, upper=M> cell_system;
  array[C] int<lower=1, upper=K> cell_benchmark;
  vector[C] cell_items;
  vector[C] score;

  vector[2] prior_loss_at_centre;
  vector[2] prior_params_share;
  vector[2] prior_irreducible_share;
  vector[2] prior_params_exponent;
  vector[2] prior_tokens_exponent;
  vector[2] prior_exponent_spread;
  vector[2] prior_loss_noise;
  vector[2] prior_floor_shift;
  matrix[K, 2] prior_ceiling_logit;
  vector[2] prior_steepness;
  vector[2] prior_midpoint;
  vector[2] prior_discrimination;
  vector[2] prior_difficulty;
  vector[2] prior_token_elasticity;
  vector[2] prior_reference_noise;
  vector[2] prior_protocol_noise;
  matrix[K, 2] prior_format_offset;
  vector[2] prior_benchmark_spread;
  vector[2] prior_drift_spread;
  vector[2] prior_drift_change_spread;
  vector[2] prior_level;
  vector[2] prior_growth_before;
  vector[2] prior_growth_change;
  vector[2] prior_organisation_spread;
  vector[2] prior_size_slope;
  vector[2] prior_shortfall_spread;
  vector[2] prior_system_spread;
}
transformed data {
  vector[M] ramp = fmax(time - change_time, 0);
  vector[M] size_centred = log_params - mean(log_params);
  vector[C] cell_time = time[cell_system];
  vector[C] cell_ramp = ramp[cell_system];
  vector[C] cell_log_params = log_params[cell_system] - log_centre_params;
  array[n_reference_loss] int reference_by_loss = reference_benchmark[1:n_reference_loss];
  array[n_reference - n_reference_loss] int reference_direct;
  array[C_loss] int cell_by_loss = cell_benchmark[1:C_loss];
  array[C - C_loss] int cell_direct;
  for (i in 1:(n_reference - n_reference_loss)) {
    reference_direct[i] = reference_benchmark[n_reference_loss + i] - L;
  }
  for (i in 1:(C - C_loss)) {
    cell_direct[i] = cell_benchmark[C_loss + i] - L;
  }
}
parameters {
  vector<lower=0>[L] loss_at_centre;
  vector<lower=0, upper=1>[L] params_share;
  vector<lower=0, upper=1>[L] irreducible_share;
  real log_params_exponent_mean;
  real<lower=0> params_exponent_spread;
  vector[L] params_exponent_offset;
  real log_tokens_exponent_mean;
  real<lower=0> tokens_exponent_spread;
  vector[L] tokens_exponent_offset;
  vector<lower=0>[L] loss_noise;

  vector[K] floor_shift;
  vector[K] ceiling_logit;
  vector<lower=0>[L] steepness;
  vector<lower=0>[L] midpoint;
  vector<lower=0>[K - L] discrimination;
  vector[K - L] difficulty;
  vector<lower=0>[K - L] token_elasticity;
  vector<lower=0>[K] reference_noise;

  real level;
  real growth_before;
  real growth_change;
  real<lower=0> organisation_spread;
  vector[O] organisation_offset;
  real size_slope;
  real<lower=0> shortfall_spread;
  vector<lower=0>[R] shortfall_offset;
  real<lower=0> system_spread;
  vector[M] log_density_offset;

  vector[K] format_offset;
  real<lower=0> drift_spread_before;
  sum_to_zero_vector[K] drift_before_offset;
  real<lower=0> drift_spread_change;
  sum_to_zero_vector[K] drift_change_offset;
  vector<lower=0>[K] benchmark_spread;
  vector[C] log_effective_params_offset;
  vector<lower=0>[K] protocol_noise;
}
transformed parameters {
  vector[L] irreducible_loss = loss_at_centre .* irreducible_share;
  vector[L] params_loss = (loss_at_centre - irreducible_loss) .* params_share;
  vector[L] tokens_loss = (loss_at_centre - irreducible_loss) .* (1 - params_share);
  vector[L] params_exponent
    = exp(log_params_exponent_mean + params_exponent_spread * params_exponent_offset);
  vector[L] tokens_exponent
    = exp(log_tokens_exponent_mean + tokens_exponent_spread * tokens_exponent_offset);
  vector[K] floor_score = chance + floor_shift;
  vector[K] ceiling = inv_logit(ceiling_logit);
  vector[M] log_density
    = level + growth_before * time + growth_change * ramp
      + organisation_spread * organisation_offset[system_organisation]
      + size_slope * size_centred
      - shortfall_spread * shortfall_offset[system_release]
      + system_spread * log_density_offset;
}
model {
  loss_at_centre ~ lognormal(prior_loss_at_centre[1], prior_loss_at_centre[2]);
  params_share ~ beta(prior_params_share[1], prior_params_share[2]);
  irreducible_share ~ beta(prior_irreducible_share[1], prior_irreducible_share[2]);
  log_params_exponent_mean ~ normal(prior_params_exponent[1], prior_params_exponent[2]);
  log_tokens_exponent_mean ~ normal(prior_tokens_exponent[1], prior_tokens_exponent[2]);
  params_exponent_spread ~ lognormal(prior_exponent_spread[1], prior_exponent_spread[2]);
  tokens_exponent_spread ~ lognormal(prior_exponent_spread[1], prior_exponent_spread[2]);
  params_exponent_offset ~ std_normal();
  tokens_exponent_offset ~ std_normal();
  loss_noise ~ lognormal(prior_loss_noise[1], prior_loss_noise[2]);

  floor_shift ~ normal(prior_floor_shift[1], prior_floor_shift[2]);
  ceiling_logit ~ normal(prior_ceiling_logit[, 1], prior_ceiling_logit[, 2]);
  steepness ~ lognormal(prior_steepness[1], prior_steepness[2]);
  midpoint ~ lognormal(prior_midpoint[1], prior_midpoint[2]);
  discrimination ~ lognormal(prior_discrimination[1], prior_discrimination[2]);
  difficulty ~ normal(prior_difficulty[1], prior_difficulty[2]);
  token_elasticity ~ lognormal(prior_token_elasticity[1], prior_token_elasticity[2]);
  reference_noise ~ lognormal(prior_reference_noise[1], prior_reference_noise[2]);

  level ~ normal(prior_level[1], prior_level[2]);
  growth_before ~ normal(prior_growth_before[1], prior_growth_before[2]);
  growth_change ~ normal(prior_growth_change[1], prior_growth_change[2]);
  organisation_spread ~ lognormal(prior_organisation_spread[1], prior_organisation_spread[2]);
  organisation_offset ~ std_normal();
  size_slope ~ normal(prior_size_slope[1], prior_size_slope[2]);
  shortfall_spread ~ lognormal(prior_shortfall_spread[1], prior_shortfall_spread[2]);
  shortfall_offset ~ std_normal();
  system_spread ~ lognormal(prior_system_spread[1], prior_system_spread[2]);
  log_density_offset ~ std_normal();

  format_offset ~ normal(prior_format_offset[, 1], prior_format_offset[, 2]);
  drift_spread_before ~ lognormal(prior_drift_spread[1], prior_drift_spread[2]);
  drift_spread_change ~ lognormal(prior_drift_change_spread[1], prior_drift_change_spread[2]);
  drift_before_offset ~ std_normal();
  drift_change_offset ~ std_normal();
  benchmark_spread ~ lognormal(prior_benchmark_spread[1], prior_benchmark_spread[2]);
  log_effective_params_offset ~ std_normal();
  protocol_noise ~ lognormal(prior_protocol_noise[1], prior_protocol_noise[2]);

  // Losses of the reference runs, L = E + a n^-alpha + b d^-beta.
  loss ~ lognormal(
    log(
      irreducible_loss[loss_benchmark]
      + params_loss[loss_benchmark] .* exp(-params_exponent[loss_benchmark] .* loss_log_params)
      + tokens_loss[loss_benchmark] .* exp(-tokens_exponent[loss_benchmark] .* loss_log_tokens)
    ),
    loss_noise[loss_benchmark]
  );

  // Scores of the reference runs.
  {
    vector[n_reference] z = append_row(
      steepness[reference_by_loss] .* (midpoint[reference_by_loss] - reference_loss),
      discrimination[reference_direct]
      .* (reference_log_params + token_elasticity[reference_direct] .* reference_log_tokens
          - difficulty[reference_direct])
    );
    vector[n_reference] expected
      = sigmoid_score(z, floor_score[reference_benchmark], ceiling[reference_benchmark]);
    reference_score ~ normal(
      expected, score_sd(expected, reference_items, reference_noise[reference_benchmark])
    );
  }

  // Scores of the systems, through the size of the reference model that they equal.
  {
    vector[K] drift_before = drift_spread_before * drift_before_offset;
    vector[K] drift_change = drift_spread_change * drift_change_offset;
    vector[C] n
      = cell_log_params + log_density[cell_system] + format_offset[cell_benchmark]
        + drift_before[cell_benchmark] .* cell_time + drift_change[cell_benchmark] .* cell_ramp
        + benchmark_spread[cell_benchmark] .* log_effective_params_offset;
    vector[L] reference_part
      = irreducible_loss + tokens_loss .* exp(-tokens_exponent * log_reference_tokens);
    vector[C_loss] cell_loss
      = reference_part[cell_by_loss]
        + params_loss[cell_by_loss] .* exp(-params_exponent[cell_by_loss] .* n[1:C_loss]);
    vector[C] z = append_row(
      steepness[cell_by_loss] .* (midpoint[cell_by_loss] - cell_loss),
      discrimination[cell_direct]
      .* (n[(C_loss + 1):C] + token_elasticity[cell_direct] * log_reference_tokens
          - difficulty[cell_direct])
    );
    vector[C] expected = sigmoid_score(z, floor_score[cell_benchmark], ceiling[cell_benchmark]);
    score ~ normal(expected, score_sd(expected, cell_items, protocol_noise[cell_benchmark]));
  }
}

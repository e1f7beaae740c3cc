# Herdbook: from movies to trajectories with names.
#
#   snakemake --configfile my.yaml --cores all        the experiment of my.yaml
#   snakemake --cores all                             the demo of config/demo.yaml
#
# Outputs are named relative to the experiment's results folder, which is the working directory.


include: "workflow/rules/common.smk"


workdir: EXPERIMENT.results


wildcard_constraints:
    movie=one_of(MOVIES),
    recording=one_of(RECORDINGS),
    unit=one_of(UNITS),


if EXPERIMENT.simulate:

    include: "workflow/rules/simulate.smk"


include: "workflow/rules/movies.smk"
include: "workflow/rules/classifier.smk"
include: "workflow/rules/identities.smk"
include: "workflow/rules/results.smk"


rule all:
    input:
        tables=[at("trajectories.csv"), *tables("hdf5")],
        page=at("report/report.html"),
        overlays=[
            at(f"overlay/{movie}.mp4") for movie in MOVIES if EXPERIMENT.report.overlay
        ],


onsuccess:
    print(closing_words())
